import type { ReadinessCheck } from '@tagplane/runtime';
import { formatDuration } from '@tagplane/runtime';
import type { AgentView } from './agent-view.ts';
import { freshnessOf } from './routes/labels.ts';

/** An agent does its work while it is connected, or holds labels, and roles if there are any, that count. */
export function readinessOf(view: AgentView): readonly ReadinessCheck[] {
  return [labelsReadiness(view), ...(view.roles === undefined ? [] : [rolesReadiness(view, view.roles)])];
}

function labelsReadiness(view: AgentView): ReadinessCheck {
  const { connection, held } = view;
  const name = 'labels';
  if (connection.state === 'connected')
    return { name, ready: true, reason: `connected to ${connection.address ?? ''}` };
  const why = offline(view);
  if (freshnessOf(view) !== 'fresh') {
    return { name, ready: false, reason: `${why}, and no fresh labels held${refusal(view, 'labels.json')}` };
  }
  const rest = held.remainingMs === undefined ? 'for ever' : `for ${formatDuration(held.remainingMs)}`;
  return { name, ready: true, reason: `${why}; labels from ${held.source} stand ${rest}` };
}

function rolesReadiness(view: AgentView, roles: NonNullable<AgentView['roles']>): ReadinessCheck {
  const name = 'roles';
  const { remainingMs, source, count } = roles;
  if (remainingMs !== undefined && remainingMs > 0) {
    const rest = `${count} from ${source} count for ${formatDuration(remainingMs)}`;
    return { name, ready: true, reason: rest };
  }
  const refused = refusal(view, 'roles.json');
  const none = remainingMs === undefined && refused === '';
  if (none) return { name, ready: true, reason: 'none held: every login is denied' };
  const why = remainingMs === undefined ? `none held${refused}` : 'those held count no more';
  if (view.connection.state === 'connected') return { name, ready: true, reason: why };
  return { name, ready: false, reason: `${offline(view)}, and ${why}` };
}

function offline({ connection }: AgentView): string {
  return `not connected (${connection.lastError ?? 'not connected yet'})`;
}

function refusal({ refused }: AgentView, file: string): string {
  const found = refused.find((each) => each.file === file);
  return found === undefined ? '' : ` (${file} was refused: ${found.reason})`;
}
