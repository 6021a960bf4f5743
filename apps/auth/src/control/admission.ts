import { SECOND, sleep } from '@tagplane/runtime';
import { createGate } from './wakeup.ts';

export interface AdmissionOptions {
  /** Hellos a second, and as many at once after a quiet second. Default 500: a hello costs about 1 ms of CPU. */
  readonly ratePerSecond?: number;
  /** Hellos that may wait. Default: as many as are let in within 20 s, well before agents give up at 30 s. */
  readonly queueLength?: number;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Something that waits for its turn. */
export interface Admittable {
  readonly phase: string;
  admitted(): void;
}

const DEFAULT_RATE = 500;
const DEFAULT_WAIT_SECONDS = 20;
/** 500 a second are 10 every 20 ms. */
const STEP_MS = 20;

/** Lets hellos in at a bounded rate (a token bucket), in their order. */
export class Admission {
  readonly #rate: number;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #queue: Admittable[] = [];
  readonly #gate = createGate();
  #tokens: number;
  #filledAt: number;

  constructor({ ratePerSecond = DEFAULT_RATE, queueLength, now }: AdmissionOptions) {
    this.#rate = ratePerSecond;
    this.#limit = queueLength ?? ratePerSecond * DEFAULT_WAIT_SECONDS;
    this.#now = now;
    this.#tokens = ratePerSecond;
    this.#filledAt = now();
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Whether it is let in, now or later; false: the queue is full. */
  request(session: Admittable): boolean {
    this.#refill();
    if (this.#queue.length === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      session.admitted();
      return true;
    }
    if (this.#queue.length >= this.#limit) return false;
    this.#queue.push(session);
    this.#gate.open();
    return true;
  }

  /** Lets in those that wait, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#queue.length === 0) await this.#gate.passed(signal);
      while (this.#queue.length > 0) {
        await sleep(STEP_MS, signal);
        this.#letIn();
      }
    }
  }

  #letIn(): void {
    this.#refill();
    const count = Math.min(Math.floor(this.#tokens), this.#queue.length);
    for (const session of this.#queue.splice(0, count)) {
      // One that gave up meanwhile costs nothing.
      if (session.phase !== 'admitting') continue;
      this.#tokens -= 1;
      session.admitted();
    }
  }

  #refill(): void {
    const now = this.#now();
    const gained = (Math.max(0, now - this.#filledAt) * this.#rate) / SECOND;
    this.#tokens = Math.min(this.#rate, this.#tokens + gained);
    this.#filledAt = now;
  }
}
