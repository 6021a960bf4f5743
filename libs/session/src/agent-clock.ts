/** One look at a machine's clocks. */
export interface ClockReading {
  /** Unix milliseconds; may be stepped either way. */
  readonly wallMs: number;
  /** Milliseconds that only rise while the machine runs, but stand still while it is suspended. */
  readonly monotonicMs: number;
  /** Names the period in which readings of `monotonicMs` can be compared: one boot of the machine. */
  readonly boot: string;
}

/** Clocks set right at boot differ by this much at most; further back, the clock was lost. */
const WALL_TOLERANCE_MS = 60_000;

/**
 * Milliseconds between two readings, never too few: the wall clock counts a suspended machine's time,
 * the monotonic one guards against a wall clock that was set back. A clock stepped ahead makes labels
 * look older, which fails closed and ends with the next renewal.
 *
 * @returns Infinity when there is no telling: another boot, and the wall clock is behind
 */
export function elapsedMs(from: ClockReading, to: ClockReading): number {
  const wall = to.wallMs - from.wallMs;
  if (from.boot === to.boot) return Math.max(0, wall, to.monotonicMs - from.monotonicMs);
  return wall < -WALL_TOLERANCE_MS ? Infinity : Math.max(0, wall);
}
