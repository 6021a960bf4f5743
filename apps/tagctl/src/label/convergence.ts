import type { Labels } from '@tagplane/labels';
import type { LabelChangeView } from '../views/label-change.ts';
import type { FeedEvent } from '../watch/feed.ts';

/** How far a change has got. */
export interface Progress {
  /** Nodes that it is about. */
  readonly affected: number;
  readonly have: number;
  /** Server ids of connected nodes that have it not yet. */
  readonly waiting: readonly string[];
  readonly notConnected: number;
}

type NodeState = 'unknown' | 'have' | 'waiting' | 'away';

/** Follows, by a watch of the nodes, which of those that a change is about hold what it makes of them. */
export class Convergence {
  readonly #expected: ReadonlyMap<string, LabelChangeView>;
  readonly #states = new Map<string, NodeState>();
  #listed = false;

  constructor(changes: readonly LabelChangeView[]) {
    this.#expected = new Map(changes.map((change) => [change.server_id, change]));
    for (const id of this.#expected.keys()) this.#states.set(id, 'unknown');
  }

  apply(event: FeedEvent): void {
    switch (event.kind) {
      case 'node': {
        const { server_id: id, connected, labels } = event.node;
        const expected = this.#expected.get(id);
        if (expected !== undefined) this.#states.set(id, stateOf(expected, labels, connected));
        return;
      }
      case 'removed':
        if (this.#expected.has(event.serverId)) this.#states.set(event.serverId, 'away');
        return;
      case 'synced':
        this.#listed = true;
        return;
      case 'list':
      case 'lost':
        this.#listed = false;
    }
  }

  /** All nodes were seen, and every connected one has it. */
  get done(): boolean {
    return this.#listed && [...this.#states.values()].every((state) => state !== 'waiting');
  }

  get progress(): Progress {
    const ids = (state: NodeState): string[] =>
      [...this.#states].flatMap(([id, each]) => (each === state ? [id] : []));
    const [have, waiting, away] = [ids('have').length, ids('waiting'), ids('away').length];
    // A node that the list had not is gone.
    const unknown = this.#states.size - have - waiting.length - away;
    return { affected: this.#states.size, have, waiting, notConnected: away + unknown };
  }
}

function stateOf(expected: LabelChangeView, labels: Labels, connected: boolean): NodeState {
  const { gained, changed, lost } = expected;
  const has = [...gained, ...changed].every(([key, value]) => labels.get(key) === value);
  const lacks = [...lost.keys()].every((key) => !labels.has(key));
  if (has && lacks) return 'have';
  return connected ? 'waiting' : 'away';
}
