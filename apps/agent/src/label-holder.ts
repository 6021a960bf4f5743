import type { SignedStatement } from '@tagplane/credentials';
import { freshness, heldAgeMs, heldRemainingMs, planUpdate } from '@tagplane/session';
import type { ClockReading, HeldLabels, HeldSet, OfferedUpdate } from '@tagplane/session';
import { StateHolder } from './state-holder.ts';
import type { StatePlan, StateStore } from './state-holder.ts';
import { checkLabels } from './statements.ts';
import type { Checked, StatementTrust } from './statements.ts';

/** Where labels outlive the process. */
export type LabelStore = StateStore<HeldLabels>;

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

/** The labels from the auth service. */
export class LabelHolder extends StateHolder<HeldLabels, OfferedUpdate> {
  view(): LabelView {
    const { held } = this;
    if (held === undefined) return NOTHING_HELD;
    const now = this.options.clock();
    return {
      ...freshness(held, now),
      revision: held.revision,
      source: this.source,
      ageMs: heldAgeMs(held, now),
      remainingMs: heldRemainingMs(held, now),
    };
  }

  protected override plan(update: OfferedUpdate, now: ClockReading): StatePlan<HeldLabels> {
    return planUpdate(this.held, update, now);
  }

  protected override check(
    signed: SignedStatement,
    about: { readonly serverId: string; readonly held: HeldLabels },
    trust: StatementTrust,
  ): Checked<unknown> {
    return checkLabels(signed, about, trust);
  }

  protected override applied({ change }: OfferedUpdate, { revision, sets }: HeldLabels): void {
    const labels = Object.fromEntries(sets.map((set) => [set.namespace, set.labels.size]));
    const event = change.kind === 'replace' ? 'labels_replaced' : 'labels_renewed';
    this.options.log.info({ event, revision, labels });
  }

  protected override refused({ change: { kind }, revision }: OfferedUpdate, reason: string): void {
    this.options.log.warn({ event: 'labels_refused', kind, revision, reason });
  }

  protected override notWritten({ change: { kind }, revision }: OfferedUpdate, err: unknown): void {
    this.options.log.error({ event: 'labels_not_written', kind, revision, err });
  }

  protected override dropped(): void {
    // Nothing is made of labels that would have to go with them.
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
