import { SECOND } from '@tagplane/runtime';

/** A token bucket for the messages of one agent. */
export class MessageRate {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  /** @param now Unix milliseconds, as in `take` */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Whether there is room for one more. */
  take(now: number): boolean {
    const gained = (Math.max(0, now - this.#filledAt) * this.#perSecond) / SECOND;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
