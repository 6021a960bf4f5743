import { HOUR, MINUTE, fullJitter } from '@tagplane/runtime';

/** How the latest attempt at an instance stands. */
export type Standing =
  /** Its turn came to nothing, for a reason that is not its own; it is due again from then on. */
  | { readonly phase: 'due'; readonly since: number; readonly reason: string }
  /** Its turn has come: a claim and a command are being asked for. */
  | { readonly phase: 'claimed'; readonly since: number }
  /** The command is under way; what has not ended by then has failed. */
  | { readonly phase: 'commanded'; readonly commandId: string; readonly until: number }
  /** The command was carried out; an agent that has not come by then does not come. */
  | { readonly phase: 'carried-out'; readonly commandId: string; readonly until: number }
  /** It failed. The next attempt is not before `retryAt`. */
  | {
      readonly phase: 'failed';
      readonly reason: string;
      readonly commandId: string;
      readonly retryAt: number;
    };

/** What is known of the attempts at one instance. Times are Unix milliseconds. */
export interface Tries {
  /** Place of the block whose turn the latest attempt took. */
  readonly block: number;
  /** Attempts so far. */
  readonly attempts: number;
  readonly standing: Standing;
}

const FIRST_RETRY_MS = MINUTE;
const LAST_RETRY_MS = 6 * HOUR;

/** Whether an attempt is under way. */
export function isInFlight({ standing: { phase } }: Tries): boolean {
  return phase === 'claimed' || phase === 'commanded' || phase === 'carried-out';
}

/**
 * How long to wait after the given number of attempts: from 1 min, doubled each time, to 6 h, of which the
 * upper half is drawn, so that instances which failed together are not tried together.
 *
 * @returns milliseconds
 */
export function enrolmentBackoff(attempts: number, random: () => number = Math.random): number {
  const doubled = FIRST_RETRY_MS * 2 ** Math.min(Math.max(attempts, 1), 30);
  const ceiling = Math.min(LAST_RETRY_MS, doubled);
  return Math.round(ceiling / 2 + fullJitter(0, { baseMs: ceiling / 2, maxMs: ceiling / 2 }, random));
}

/** From when an instance may be tried; undefined while an attempt is under way. */
export function dueAt({ standing }: Tries): number | undefined {
  if (standing.phase === 'due') return standing.since;
  return standing.phase === 'failed' ? standing.retryAt : undefined;
}
