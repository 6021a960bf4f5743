import { discoveredName, serverInfoKey, ASSIGNED_PREFIX } from '@tagplane/serverinfo';
import type { Match } from '@tagplane/serverinfo';
import { followFeed } from '@tagplane/store';
import type { Change, Store } from '@tagplane/store';
import type { ControlMetrics, Trigger } from '../control/metrics.ts';
import type { SessionRegistry } from '../control/registry.ts';
import type { AgentSession } from '../control/agent-session.ts';
import type { AssignedIndex } from './assigned-index.ts';

export interface ServerInfoFeedOptions {
  readonly store: Store;
  readonly assigned: AssignedIndex;
  readonly registry: SessionRegistry;
  readonly reconcile: (session: AgentSession, trigger: Trigger) => void;
  /** The feed has begun anew, and the assigned ServerInfos are loaded. */
  readonly onReset: () => void;
  readonly metrics: ControlMetrics;
  readonly now: () => number;
}

/** Follows changes of ServerInfos and asks for the nodes that they are for. Runs until the signal aborts. */
export async function followServerInfos(options: ServerInfoFeedOptions, signal: AbortSignal): Promise<void> {
  const { store, assigned, registry, reconcile, metrics } = options;
  await followFeed(
    store,
    {
      async reset() {
        metrics.feedReset('server_info');
        await assigned.load(signal);
        options.onReset();
        for (const session of registry.registered()) reconcile(session, 'reset');
      },
      async changes(changes) {
        for (const { key } of changes) {
          for (const session of registry.withInstance(key)) reconcile(session, 'feed');
        }
        noteLag(options, changes);
        const ofAssigned = changes.filter(({ key }) => key.startsWith(ASSIGNED_PREFIX));
        if (ofAssigned.length === 0) return;
        for (const target of await assigned.apply(ofAssigned, signal)) {
          for (const session of sessionsOf(registry, target)) reconcile(session, 'feed');
        }
      },
      unavailable() {
        metrics.feedFailures('server_info');
      },
    },
    { signal },
  );
}

function sessionsOf(registry: SessionRegistry, target: Match): Iterable<AgentSession> {
  if (target.kind === 'aws-instance') {
    return registry.withInstance(serverInfoKey(discoveredName(target.instance)));
  }
  if (target.kind === 'selector') return registry.registered();
  const session = registry.get(target.serverId);
  return session === undefined ? [] : [session];
}

/** A revision is the time of the write in microseconds of the store's clock. */
function noteLag({ metrics, now }: ServerInfoFeedOptions, changes: readonly Change[]): void {
  const last = changes.at(-1);
  if (last !== undefined) metrics.feedLag.set(Math.max(0, now() / 1_000 - last.revision / 1_000_000));
}
