import { followFeed } from '@tagplane/store';
import type { Change as StoreChange, Store } from '@tagplane/store';
import { HOLD_PREFIX, decodeHold } from './hold.ts';
import type { Hold, HoldState } from './hold.ts';
import type { GuardMetrics } from './metrics.ts';
import { listHolds } from './stored-holds.ts';

const PAGE = 1_000;
/** Lines in a status; a person then lists the holds. */
const MAX_LINES = 10;

/** The holds as the store's feed tells them: for figures and the status, not for decisions. */
export class HoldWatch {
  readonly #store: Store;
  readonly #holds = new Map<string, Hold>();

  constructor(store: Store) {
    this.#store = store;
  }

  count(state: HoldState): number {
    return this.#holds.values().reduce((sum, hold) => (hold.state === state ? sum + 1 : sum), 0);
  }

  /** A line for each hold that waits, with what to do. */
  problems(): string[] {
    const waiting = [...this.#holds.values().filter(({ state }) => state === 'held')];
    const lines = waiting.slice(0, MAX_LINES).map(holdLine);
    const more = waiting.length - lines.length;
    return more === 0 ? lines : [...lines, `guard: ${more} more changes wait; tagctl guard ls lists them`];
  }

  /** Follows the store until the signal aborts. */
  async run(signal: AbortSignal, metrics: Pick<GuardMetrics, 'feedFailures'>): Promise<void> {
    await followFeed(
      this.#store,
      {
        reset: async () => {
          const holds = await listHolds(this.#store, signal);
          this.#holds.clear();
          for (const hold of holds) this.#holds.set(hold.id, hold);
        },
        changes: (changes) => this.#onChanges(changes, signal),
        unavailable: () => {
          metrics.feedFailures.inc();
        },
      },
      { signal },
    );
  }

  async #onChanges(changes: readonly StoreChange[], signal: AbortSignal): Promise<void> {
    const keys = [...new Set(changes.map(({ key }) => key).filter((key) => key.startsWith(HOLD_PREFIX)))];
    for (let start = 0; start < keys.length; start += PAGE) {
      const found = await this.#store.getMany(keys.slice(start, start + PAGE), { signal });
      for (const item of found) {
        const hold = item.state === 'live' ? decodeHold(item) : undefined;
        if (hold === undefined) this.#holds.delete(item.key.slice(HOLD_PREFIX.length));
        else this.#holds.set(hold.id, hold);
      }
    }
  }
}

function holdLine({ id, scope, nodesChanged, nodesTotal, nodesChangedBefore }: Hold): string {
  const before = nodesChangedBefore === 0 ? '' : ` (and ${nodesChangedBefore} just before)`;
  return `guard: a change of ${nodesChanged}${before} of ${nodesTotal} nodes of ${scope} waits: tagctl guard ls, then tagctl guard release ${id}, or drop`;
}
