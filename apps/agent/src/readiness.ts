import type { ReadinessCheck } from '@tagplane/runtime';
import { formatDuration } from '@tagplane/runtime';
import type { AgentView } from './agent-view.ts';
import { freshnessOf } from './routes/labels.ts';

/** An agent does its work while it is connected, or holds labels that still count. */
export function readinessOf(view: AgentView): ReadinessCheck {
  const { connection, held } = view;
  const name = 'labels';
  if (connection.state === 'connected')
    return { name, ready: true, reason: `connected to ${connection.address ?? ''}` };
  const why = connection.lastError ?? 'not connected yet';
  if (freshnessOf(view) !== 'fresh') {
    return { name, ready: false, reason: `not connected (${why}), and no fresh labels held` };
  }
  const rest = held.remainingMs === undefined ? 'for ever' : `for ${formatDuration(held.remainingMs)}`;
  return { name, ready: true, reason: `not connected (${why}); labels from ${held.source} stand ${rest}` };
}
