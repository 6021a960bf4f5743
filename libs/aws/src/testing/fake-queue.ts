import { AwsCallError } from '../call-error.ts';
import type { AwsCallErrorKind } from '../call-error.ts';
import type { Queue, QueueMessage, ReceiveOptions } from '../queue.ts';

/** A queue in memory, for tests; by the global timers, so that virtual time can drive it. */
export interface FakeQueue extends Queue {
  /** Puts a message in, and returns its id. */
  put(body: string): string;
  /** Lets all calls fail so, until it is taken back by undefined. */
  fail(kind: Exclude<AwsCallErrorKind, 'aborted'> | undefined): void;
  /** Messages that are not deleted, hidden ones included. */
  readonly size: number;
  /** Calls of `receive` that are waiting for a message. */
  readonly waiting: number;
}

interface Held {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  receivedCount: number;
  hiddenUntil: number;
  receipt: string | undefined;
}

/** The messages that are not deleted. */
class Messages {
  readonly held = new Map<string, Held>();
  #serial = 0;

  add(body: string): string {
    this.#serial += 1;
    const id = `message-${this.#serial}`;
    const plain = { receivedCount: 0, hiddenUntil: 0, receipt: undefined };
    this.held.set(id, { id, body, sentAt: Date.now(), ...plain });
    return id;
  }

  /** Hides what it gives. */
  take(max: number, visibilityMs: number): QueueMessage[] {
    const now = Date.now();
    const shown = [...this.held.values()].filter(({ hiddenUntil }) => hiddenUntil <= now).slice(0, max);
    return shown.map((message) => {
      this.#serial += 1;
      message.receivedCount += 1;
      message.hiddenUntil = now + visibilityMs;
      message.receipt = `receipt-${this.#serial}`;
      const { id, body, sentAt, receipt, receivedCount } = message;
      return { id, body, receipt, receivedCount, sentAt };
    });
  }

  /** Undefined for a receipt that has run out. */
  byReceipt(receipt: string): Held | undefined {
    const now = Date.now();
    return [...this.held.values()].find((each) => each.receipt === receipt && each.hiddenUntil > now);
  }

  /** When the next is shown, or the given time if that is before. */
  nextShown(end: number): number {
    return Math.min(end, ...[...this.held.values()].map(({ hiddenUntil }) => hiddenUntil));
  }
}

export function fakeQueue(url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/tagplane'): FakeQueue {
  const messages = new Messages();
  const wakers = new Set<() => void>();
  let failing: Exclude<AwsCallErrorKind, 'aborted'> | undefined;
  const check = (operation: string, signal: AbortSignal): void => {
    const call = { service: 'SQS', operation };
    if (signal.aborted) throw new AwsCallError({ ...call, kind: 'aborted', code: 'AbortError' });
    if (failing !== undefined) throw new AwsCallError({ ...call, kind: failing, code: 'Scripted' });
  };
  const wake = (): void => {
    for (const waker of wakers) waker();
  };
  const receive = async (options: ReceiveOptions, signal: AbortSignal): Promise<QueueMessage[]> => {
    const end = Date.now() + options.waitMs;
    for (;;) {
      check('ReceiveMessage', signal);
      const got = messages.take(options.max, options.visibilityMs);
      const now = Date.now();
      if (got.length > 0 || now >= end) return got;
      await pause(Math.max(0, messages.nextShown(end) - now), wakers, signal);
    }
  };
  return {
    url,
    receive,
    get size() {
      return messages.held.size;
    },
    get waiting() {
      return wakers.size;
    },
    put: (body) => {
      const id = messages.add(body);
      wake();
      return id;
    },
    fail: (kind) => {
      failing = kind;
      wake();
    },
    delete: (receipts, signal) =>
      Promise.resolve().then(() => {
        check('DeleteMessageBatch', signal);
        for (const receipt of receipts) messages.held.delete(messages.byReceipt(receipt)?.id ?? '');
      }),
    release: (receipts, signal) =>
      Promise.resolve().then(() => {
        check('ChangeMessageVisibilityBatch', signal);
        for (const receipt of receipts) {
          const message = messages.byReceipt(receipt);
          if (message !== undefined) message.hiddenUntil = 0;
        }
        wake();
      }),
    [Symbol.dispose]: () => {
      messages.held.clear();
    },
  };
}

/** Until the time is over, somebody wakes it or the signal aborts. */
async function pause(ms: number, wakers: Set<() => void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      wakers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    wakers.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
