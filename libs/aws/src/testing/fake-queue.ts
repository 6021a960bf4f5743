import { AwsCallError } from '../call-error.ts';
import type { AwsCallErrorKind } from '../call-error.ts';
import type { Queue, QueueMessage } from '../queue.ts';

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

export function fakeQueue(url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/tagplane'): FakeQueue {
  const held = new Map<string, Held>();
  const wakers = new Set<() => void>();
  let serial = 0;
  let failing: Exclude<AwsCallErrorKind, 'aborted'> | undefined;
  const check = (operation: string, signal: AbortSignal): void => {
    if (signal.aborted)
      throw new AwsCallError({ service: 'SQS', operation, kind: 'aborted', code: 'AbortError' });
    if (failing !== undefined)
      throw new AwsCallError({ service: 'SQS', operation, kind: failing, code: 'Scripted' });
  };
  const wake = (): void => {
    for (const waker of wakers) waker();
  };
  const take = (max: number, visibilityMs: number): QueueMessage[] => {
    const now = Date.now();
    const shown = [...held.values()].filter(({ hiddenUntil }) => hiddenUntil <= now).slice(0, max);
    return shown.map((message) => {
      serial += 1;
      message.receivedCount += 1;
      message.hiddenUntil = now + visibilityMs;
      message.receipt = `receipt-${serial}`;
      const { id, body, sentAt, receipt, receivedCount } = message;
      return { id, body, receipt, receivedCount, sentAt };
    });
  };
  const byReceipt = (receipt: string): Held | undefined =>
    [...held.values()].find((message) => message.receipt === receipt && message.hiddenUntil > Date.now());
  return {
    url,
    get size() {
      return held.size;
    },
    get waiting() {
      return wakers.size;
    },
    put: (body) => {
      serial += 1;
      const id = `message-${serial}`;
      held.set(id, { id, body, sentAt: Date.now(), receivedCount: 0, hiddenUntil: 0, receipt: undefined });
      wake();
      return id;
    },
    fail: (kind) => {
      failing = kind;
      wake();
    },
    receive: async ({ max, waitMs, visibilityMs }, signal) => {
      const end = Date.now() + waitMs;
      for (;;) {
        check('ReceiveMessage', signal);
        const got = take(max, visibilityMs);
        const now = Date.now();
        if (got.length > 0 || now >= end) return got;
        const next = Math.min(end, ...[...held.values()].map(({ hiddenUntil }) => hiddenUntil));
        await pause(Math.max(0, next - now), wakers, signal);
      }
    },
    delete: (receipts, signal) =>
      Promise.resolve().then(() => {
        check('DeleteMessageBatch', signal);
        for (const receipt of receipts) held.delete(byReceipt(receipt)?.id ?? '');
      }),
    release: (receipts, signal) =>
      Promise.resolve().then(() => {
        check('ChangeMessageVisibilityBatch', signal);
        for (const message of receipts.map(byReceipt)) if (message !== undefined) message.hiddenUntil = 0;
        wake();
      }),
    [Symbol.dispose]: () => {
      held.clear();
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
