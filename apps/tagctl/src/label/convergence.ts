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
  /** How many nodes are in each state: asked after every event. */
  readonly #counts: Record<NodeState, number> = { unknown: 0, have: 0, waiting: 0, away: 0 };
  #listed = false;

  constructor(changes: readonly LabelChangeView[]) {
    this.#expected = new Map(changes.map((change) => [change.server_id, change]));
    for (const id of this.#expected.keys()) this.#put(id, 'unknown');
  }

  apply(event: FeedEvent): void {
    switch (event.kind) {
      case 'node': {
        const { server_id: id, connected, labels } = event.node;
        const expected = this.#expected.get(id);
        if (expected !== undefined) this.#put(id, stateOf(expected, labels, connected));
        return;
      }
      case 'removed':
        if (this.#expected.has(event.serverId)) this.#put(event.serverId, 'away');
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
    return this.#listed && this.#counts.waiting === 0;
  }

  get progress(): Progress {
    const waiting = [...this.#states].flatMap(([id, state]) => (state === 'waiting' ? [id] : []));
    const { have, away, unknown } = this.#counts;
    // A node that the list had not is gone.
    return { affected: this.#states.size, have, waiting, notConnected: away + unknown };
  }

  #put(id: string, state: NodeState): void {
    const before = this.#states.get(id);
    if (before !== undefined) this.#counts[before] -= 1;
    this.#counts[state] += 1;
    this.#states.set(id, state);
  }
}

function stateOf(expected: LabelChangeView, labels: Labels, connected: boolean): NodeState {
  const { gained, changed, lost } = expected;
  const has = [...gained, ...changed].every(([key, value]) => labels.get(key) === value);
  const lacks = [...lost.keys()].every((key) => !labels.has(key));
  if (has && lacks) return 'have';
  return connected ? 'waiting' : 'away';
}
