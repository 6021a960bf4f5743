import type { Labels } from '@tagplane/labels';
import { discoveredName, serverInfoKey, ASSIGNED_PREFIX } from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import { sleep } from '@tagplane/runtime';
import { followFeed } from '@tagplane/store';
import type { Change, Store } from '@tagplane/store';
import type { ControlMetrics, Trigger } from '../control/metrics.ts';
import type { SessionRegistry } from '../control/registry.ts';
import type { AgentSession } from '../control/agent-session.ts';
import type { AssignedChange, AssignedIndex } from './assigned-index.ts';
import { SelectorChanges } from './selector-changes.ts';

export interface ServerInfoFeedOptions {
  readonly store: Store;
  readonly assigned: AssignedIndex;
  readonly registry: SessionRegistry;
  readonly reconcile: (session: AgentSession, trigger: Trigger) => void;
  /** The same by what is known of the node already, if that suffices. */
  readonly reconsider: (session: AgentSession, trigger: Trigger) => void;
  /** The labels that selectors see of the node; undefined: a lookup must tell. */
  readonly selectable: (session: AgentSession) => Labels | undefined;
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
        await reconsiderChanged(options, await assigned.apply(ofAssigned, signal), signal);
      },
      unavailable() {
        metrics.feedFailures('server_info');
      },
    },
    { signal },
  );
}

/** Selectors asked before other work has its turn: about a microsecond each, so some milliseconds. */
const CHUNK = 2_000;
/** To know and to decide a node takes as long as so many selectors. */
const NODE_COST = 8;

async function reconsiderChanged(
  options: ServerInfoFeedOptions,
  changes: readonly AssignedChange[],
  signal: AbortSignal,
): Promise<void> {
  const { registry, reconsider, selectable } = options;
  const named = new Set(
    changes.flatMap(({ before, after }) => [...sessionsOf(registry, before), ...sessionsOf(registry, after)]),
  );
  const selectors = new SelectorChanges(changes);
  const sessions = selectors.none ? [...named] : [...registry.registered()];
  const cost = NODE_COST + changes.length;
  let spent = 0;
  for (const session of sessions) {
    spent += cost;
    if (spent >= CHUNK) {
      spent = 0;
      await sleep(0, signal);
    }
    if (session.ended) continue;
    const labels = named.has(session) ? undefined : selectable(session);
    if (labels === undefined || selectors.concern(labels)) reconsider(session, 'feed');
  }
}

/** Those that a ServerInfo is for by name. */
function sessionsOf(registry: SessionRegistry, info: ServerInfo | undefined): readonly AgentSession[] {
  switch (info?.match.kind) {
    case 'aws-instance':
      return registry.withInstance(serverInfoKey(discoveredName(info.match.instance)));
    case 'server-id': {
      const session = registry.get(info.match.serverId);
      return session === undefined ? [] : [session];
    }
    case 'selector':
    case undefined:
      return [];
  }
}

/** A revision is the time of the write in microseconds of the store's clock. */
function noteLag({ metrics, now }: ServerInfoFeedOptions, changes: readonly Change[]): void {
  const last = changes.at(-1);
  if (last !== undefined) metrics.feedLag.set(Math.max(0, now() / 1_000 - last.revision / 1_000_000));
}
