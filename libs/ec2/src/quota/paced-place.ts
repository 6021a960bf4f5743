import { QuotaQueueError } from './request-pacer.ts';
import type { RequestPacer, Turn } from './request-pacer.ts';
import { RequestWindow } from './request-window.ts';
import { TokenBucket } from './token-bucket.ts';
import type { BucketSize } from './token-bucket.ts';

/** At a quarter of EC2's rate, those at the end wait over three minutes: more is not worth waiting for. */
const MAX_WAITING = 1_000;

interface Waiter {
  readonly grant: (turn: Turn) => void;
}

/** The requests to one region of one account: who asks first has the first turn. */
export class PacedPlace implements RequestPacer {
  readonly #bucket: TokenBucket;
  readonly #window = new RequestWindow();
  readonly #waiting = new Set<Waiter>();
  readonly #now: () => number;
  readonly #random: () => number;
  #timer: NodeJS.Timeout | undefined;
  #requests = 0;
  #throttles = 0;

  constructor(size: BucketSize, clock: { readonly now: () => number; readonly random: () => number }) {
    this.#now = clock.now;
    this.#random = clock.random;
    this.#bucket = new TokenBucket(size, this.#now());
  }

  get requests(): number {
    return this.#requests;
  }
  get throttles(): number {
    return this.#throttles;
  }
  /** Requests a second, on the average of the last minute. */
  get perSecond(): number {
    return this.#window.perSecond(this.#now());
  }
  /** Requests a second that may be made now. */
  get rate(): number {
    return this.#bucket.rate(this.#now());
  }
  /** How long a request that came now would wait, in milliseconds. */
  get behindMs(): number {
    return this.#bucket.wait(this.#now(), this.#waiting.size + 1);
  }

  async acquire(signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#bucket.take(this.#now())) return this.#turn();
    if (this.#waiting.size >= MAX_WAITING) {
      throw new QuotaQueueError(`${MAX_WAITING} requests wait for their turn already`);
    }
    return await new Promise<Turn>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(waiter);
        this.#schedule();
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        grant: (turn) => {
          signal.removeEventListener('abort', abort);
          resolve(turn);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#schedule();
    });
  }

  #turn(): Turn {
    const passedAt = this.#now();
    this.#requests += 1;
    this.#window.add(passedAt);
    return {
      succeeded: () => undefined,
      throttled: () => {
        this.#throttles += 1;
        if (this.#bucket.throttled(passedAt, this.#now(), this.#random())) this.#schedule();
      },
    };
  }

  /** One timer, for the first of those who wait. */
  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const ms = Math.ceil(this.#bucket.wait(this.#now(), 1));
    this.#timer = setTimeout(() => {
      this.#grant();
    }, ms);
  }

  #grant(): void {
    for (const waiter of this.#waiting) {
      if (!this.#bucket.take(this.#now())) break;
      this.#waiting.delete(waiter);
      waiter.grant(this.#turn());
    }
    this.#schedule();
  }
}
