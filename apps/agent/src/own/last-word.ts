import { elapsedMs } from '@tagplane/session';
import type { ClockReading } from '@tagplane/session';

/** A source counts for this many of its periods: two of its answers may be missed. */
const PERIODS = 3;

/** The last good answer of a source that is asked again and again; kept while it does not answer. */
export interface LastWord<Value> {
  readonly value: Value;
  readonly at: ClockReading;
}

/** How old a last word is, and how much longer it counts. Milliseconds. */
export interface WordAge {
  readonly ageMs: number;
  /** 0: it counts no more. */
  readonly remainingMs: number;
}

/** @param periodMs how often its source is asked */
export function wordAge(word: LastWord<unknown>, periodMs: number, now: ClockReading): WordAge {
  const ageMs = elapsedMs(word.at, now);
  return { ageMs, remainingMs: Math.max(0, PERIODS * periodMs - ageMs) };
}
