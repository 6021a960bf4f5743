import type { Labels, Namespace } from '@tagplane/labels';
import { NO_LABELS } from '@tagplane/labels';
import type { Logger } from '@tagplane/runtime';
import { freshness, heldAgeMs, heldRemainingMs, planUpdate } from '@tagplane/session';
import type { HeldLabels, HeldSet, OfferedUpdate } from '@tagplane/session';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';

/** Where labels outlive the process. */
export interface LabelStore {
  /** Resolves when the labels are safe; rejects when that cannot be had. */
  write(held: HeldLabels): Promise<void>;
  /** Forgets what was written. */
  clear(): Promise<void>;
}

/** What an agent holds, as of now. Durations in milliseconds. */
export interface LabelView {
  readonly revision: string;
  readonly source: 'stream' | 'disk' | 'none';
  readonly fresh: readonly HeldSet[];
  /** Run out: shown, but they do not count. */
  readonly stale: readonly HeldSet[];
  readonly ageMs: number | undefined;
  /** Until the first set runs out; undefined: never. */
  readonly remainingMs: number | undefined;
}

/** The labels from the auth service: on disk first, then in force. */
export class LabelHolder {
  readonly #store: LabelStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  #held: HeldLabels | undefined;
  #source: 'stream' | 'disk' = 'disk';
  /** Rises when what is held turns out to be another server's. */
  #owners = 0;

  /** @param held what the disk had */
  constructor(store: LabelStore, held: HeldLabels | undefined, clock: Clock, log: Logger) {
    this.#store = store;
    this.#held = held;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Makes an update take effect, whole or not at all.
   *
   * @returns why it did not, for a person; the labels held before then still stand
   */
  async apply(update: OfferedUpdate): Promise<string | undefined> {
    const owner = this.#owners;
    const plan = planUpdate(this.#held, update, this.#clock());
    const kind = update.change.kind;
    if (plan.kind === 'refuse') {
      this.#log.warn({ event: 'labels_refused', kind, revision: update.revision, reason: plan.reason });
      return plan.reason;
    }
    try {
      await this.#store.write(plan.held);
    } catch (error) {
      this.#log.error({ event: 'labels_not_written', kind, revision: update.revision, err: error });
      return `the labels could not be written to disk: ${messageOf(error)}`;
    }
    if (owner !== this.#owners) return 'the agent speaks for another server by now';
    this.#held = plan.held;
    this.#source = 'stream';
    const counts = Object.fromEntries(plan.held.sets.map((set) => [set.namespace, set.labels.size]));
    const event = kind === 'replace' ? 'labels_replaced' : 'labels_renewed';
    this.#log.info({ event, revision: plan.held.revision, labels: counts });
    return undefined;
  }

  /** Drops everything held: it was meant for another server. */
  async discard(): Promise<void> {
    this.#owners += 1;
    this.#held = undefined;
    try {
      await this.#store.clear();
    } catch (error) {
      // The file says whose labels it has: nobody else will take them from there.
      this.#log.error({ event: 'labels_not_cleared', err: error });
    }
  }

  view(): LabelView {
    const held = this.#held;
    if (held === undefined) return NOTHING_HELD;
    const now = this.#clock();
    return {
      ...freshness(held, now),
      revision: held.revision,
      source: this.#source,
      ageMs: heldAgeMs(held, now),
      remainingMs: heldRemainingMs(held, now),
    };
  }

  /** The labels of one namespace that count now. */
  fresh(namespace: Namespace): Labels {
    return this.view().fresh.find((set) => set.namespace === namespace)?.labels ?? NO_LABELS;
  }
}

const NOTHING_HELD: LabelView = {
  revision: '',
  source: 'none',
  fresh: [],
  stale: [],
  ageMs: undefined,
  remainingMs: undefined,
};
