import type { Credentials } from './credentials.ts';
import { lifeMs } from './renewal.ts';

/** This machine's clocks, in milliseconds. */
export interface KeeperClock {
  /** Unix time. */
  readonly wallMs: number;
  /** Never set back; may stand while the machine is suspended. */
  readonly monotonicMs: number;
}

/** Credentials, and how far into their life they are. */
export interface Holding {
  readonly credentials: Credentials;
  /** Milliseconds from receipt that they are good for. */
  readonly life: number;
  /** What had passed of it when they were taken up, and when that was. */
  readonly passed: number;
  readonly since: number;
}

/**
 * Takes credentials up. Those that are from the future, by a clock that was set back, may be of any age:
 * they are due for renewal at once.
 *
 * @param due milliseconds from receipt at which they are to be renewed
 */
export function takeUp(credentials: Credentials, due: number, clock: KeeperClock): Holding {
  const passed = clock.wallMs - credentials.receivedAt;
  return {
    credentials,
    life: lifeMs(credentials),
    passed: passed < 0 ? due : passed,
    since: clock.monotonicMs,
  };
}

/**
 * Milliseconds since receipt: the larger of what the two clocks say, since a clock that was set back must not
 * lengthen a life, nor must a suspended machine.
 */
export function passedMs(holding: Holding, clock: KeeperClock): number {
  const monotonic = holding.passed + (clock.monotonicMs - holding.since);
  return Math.max(monotonic, clock.wallMs - holding.credentials.receivedAt);
}

/** Milliseconds until they end; negative when they have. */
export function remainingMs(holding: Holding, clock: KeeperClock): number {
  return holding.life - passedMs(holding, clock);
}
