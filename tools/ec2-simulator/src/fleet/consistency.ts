import { mix } from './random.ts';
import type { SimInstance, StateChange } from './instance.ts';

/** How far what EC2 describes is behind what has happened. */
export interface ConsistencyOptions {
  /** A change is described after half of this to all of it, by the instance, in milliseconds. */
  readonly lagMs: number;
  /** For as long again, the share of reads (0 to 1) that still show what was before. */
  readonly staleReads: number;
}

/** What an instance was described as before a change. */
export interface PastView {
  readonly tags: ReadonlyMap<string, string>;
  /** Undefined: there was no such instance. */
  readonly change: StateChange | undefined;
  /** When it was over, in Unix milliseconds. */
  readonly until: number;
}

/** More than a test makes within one lag. */
const MAX_PAST = 8;

/** Keeps what an instance is described as now, before a change. */
export function rememberPast(instance: SimInstance, past: PastView, keepMs: number): void {
  const recent = (instance.past ?? []).filter(({ until }) => until + keepMs > past.until);
  instance.past = [...recent, past].slice(-MAX_PAST);
}

/** Draws of one place: the n-th read there is the same in every run. */
export interface ReadDraws {
  next(): number;
}

export function createReadDraws(seed: number): ReadDraws {
  let count = 0;
  return { next: () => mix(seed, (count += 1)) / 2 ** 32 };
}

/**
 * The instance as a describe shows it now; undefined: not yet there. With `stale`, as it was before its
 * latest change, however long ago.
 */
export function describedAs(
  instance: SimInstance,
  now: number,
  { lagMs, staleReads }: ConsistencyOptions,
  draws: ReadDraws,
  stale: boolean,
): SimInstance | undefined {
  const { past = [] } = instance;
  if (past.length === 0) return instance;
  const lag = (lagMs * (500 + (mix(instance.salt, 90) % 501))) / 1000;
  const shown = stale
    ? past.at(-1)
    : past.find(({ until }) => now < until + lag || (now < until + 2 * lag && draws.next() < staleReads));
  if (shown === undefined) return instance;
  return shown.change === undefined ? undefined : { ...instance, ...shown, change: shown.change };
}
