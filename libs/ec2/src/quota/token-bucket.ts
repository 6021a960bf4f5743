export interface BucketSize {
  /** Requests that may be made at once. */
  readonly capacity: number;
  /** Requests a second that may go on for ever. */
  readonly refillPerSecond: number;
}

/**
 * What EC2 gives an account in a region for its Describe calls together, whoever makes them (Amazon EC2
 * API Developer Guide, request throttling). All requests of this library have pages or filters.
 */
export const AWS_BUCKETS = {
  paged: { capacity: 100, refillPerSecond: 20 },
  /** DescribeInstances and others with neither pages nor filters. */
  unpaged: { capacity: 50, refillPerSecond: 10 },
} as const satisfies Record<string, BucketSize>;

/** A throttle halves the rate, as TCP does on a loss. */
const DECREASE = 0.5;
/** At a quarter of EC2's 20/s this is a request in 4 s: slow, and soon to notice that it is over. */
const FLOOR = 0.05;
/** From nothing to all of it: after one throttle, half of that, a minute. */
const RECOVERY_MS = 120_000;
/** EC2 refills its bucket at 20/s: in a second and a half, 30 requests of whoever else needs them. */
const HOLD_MS = 1_500;
const SECOND_MS = 1_000;

/**
 * A token bucket that gives way: over any window it lets pass at most its capacity and its rate times the
 * window, and less after a throttle. Times are milliseconds of one clock that never goes back.
 */
export class TokenBucket {
  readonly #size: BucketSize;
  #tokens: number;
  /** Until when tokens are counted; lies ahead while nothing may pass. */
  #countedAt: number;
  #pace = 1;
  #pacedAt: number;
  #throttledAt = -Infinity;

  /** Starts full. */
  constructor(size: BucketSize, now: number) {
    this.#size = size;
    this.#tokens = size.capacity;
    this.#countedAt = now;
    this.#pacedAt = now;
  }

  /** Requests a second at this moment. */
  rate(now: number): number {
    return this.#size.refillPerSecond * this.#paceAt(now);
  }

  /** Takes a token if there is one. */
  take(now: number): boolean {
    this.#count(now);
    if (this.#countedAt > now || this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until the `place`th request from now may pass, at the rate of now: 0 if it may already. */
  wait(now: number, place: number): number {
    this.#count(now);
    const missing = Math.max(0, place - this.#tokens);
    return Math.max(0, this.#countedAt - now) + (missing / this.rate(now)) * SECOND_MS;
  }

  /**
   * A request that passed at `passedAt` was throttled. Those that passed before the last decrease are
   * part of what it was made for: they count once together.
   *
   * @param random 0 to 1
   * @returns whether the rate went down
   */
  throttled(passedAt: number, now: number, random: number): boolean {
    if (passedAt <= this.#throttledAt) return false;
    this.#count(now);
    this.#throttledAt = now;
    this.#pace = Math.max(FLOOR, this.#paceAt(now) * DECREASE);
    // Several processes are throttled together: they come back at different times.
    this.#countedAt = now + HOLD_MS * (1 + random);
    this.#pacedAt = this.#countedAt;
    this.#tokens = 0;
    return true;
  }

  #paceAt(now: number): number {
    return Math.min(1, this.#pace + Math.max(0, now - this.#pacedAt) / RECOVERY_MS);
  }

  /** At the rate of the beginning, which is the lower one while it recovers. */
  #count(now: number): void {
    if (now <= this.#countedAt) return;
    const earned = (this.rate(this.#countedAt) * (now - this.#countedAt)) / SECOND_MS;
    this.#tokens = Math.min(this.#size.capacity, this.#tokens + earned);
    this.#countedAt = now;
  }
}
