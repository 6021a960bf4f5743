import { describe, expect, it, jest } from '@jest/globals';
import type { Queue, QueueMessage } from '../queue.ts';

/** One queue of its own, empty at first. */
export interface QueueHarness extends AsyncDisposable {
  readonly queue: Queue;
  /** Sends messages, in one or several calls. */
  put(bodies: readonly string[]): Promise<void>;
}

/** Generous: a busy machine is slow, and only a failing test waits for it. */
const TEST_TIMEOUT_MS = 120_000;
const LONG_MS = 300_000;
const NOW = { waitMs: 0, visibilityMs: LONG_MS, max: 10 };
const WAITING = { ...NOW, waitMs: 20_000 };

const signal = new AbortController().signal;

/** Receives until nothing comes any more. */
async function drain(queue: Queue): Promise<QueueMessage[]> {
  const all: QueueMessage[] = [];
  for (;;) {
    const got = await queue.receive({ ...NOW, waitMs: 1_000 }, signal);
    if (got.length === 0) return all;
    all.push(...got);
  }
}

const receiptsOf = (messages: readonly QueueMessage[]): string[] => messages.map(({ receipt }) => receipt);

/** What every Queue keeps to, as Jest tests. Call it in a spec. */
export function queueContract(name: string, make: () => Promise<QueueHarness>): void {
  jest.setTimeout(TEST_TIMEOUT_MS);
  describe(`queue contract: ${name}`, () => {
    receivingContract(make);
    receiptsContract(make);
  });
}

function receivingContract(make: () => Promise<QueueHarness>): void {
  it('gives what was put, to the letter, and says when it was sent', async () => {
    await using harness = await make();
    const bodies = ['{"a": "é😀\\n"}', '<a>&amp;</a>', ' spaces and\ttabs\n'];
    const before = Date.now();
    await harness.put(bodies);
    const got = await drain(harness.queue);
    expect(got.map(({ body }) => body).sort()).toEqual([...bodies].sort());
    for (const { receivedCount, sentAt } of got) {
      expect(receivedCount).toBe(1);
      // The queue's clock is another process's, and may be rounded to seconds.
      expect(sentAt).toBeGreaterThan(before - 2_000);
      expect(sentAt).toBeLessThan(Date.now() + 2_000);
    }
    expect(new Set(got.map(({ id }) => id)).size).toBe(bodies.length);
  });

  it('gives at most as many as asked for, and none when there are none', async () => {
    await using harness = await make();
    expect(await harness.queue.receive(NOW, signal)).toEqual([]);
    await harness.put(['a', 'b', 'c']);
    expect((await harness.queue.receive({ ...WAITING, max: 2 }, signal)).length).toBeLessThanOrEqual(2);
  });

  it('waits for a message', async () => {
    await using harness = await make();
    const waiting = harness.queue.receive(WAITING, signal);
    await harness.put(['late']);
    expect((await waiting).map(({ body }) => body)).toEqual(['late']);
  });

  it('rejects as aborted, at once, also while it waits', async () => {
    await using harness = await make();
    const stop = new AbortController();
    const waiting = harness.queue.receive(WAITING, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AwsCallError', kind: 'aborted' });
    await expect(harness.queue.delete(['r'], stop.signal)).rejects.toMatchObject({ kind: 'aborted' });
    await expect(harness.queue.release(['r'], stop.signal)).rejects.toMatchObject({ kind: 'aborted' });
  });
}

function receiptsContract(make: () => Promise<QueueHarness>): void {
  it('hides what was received, and shows it again when it is released', async () => {
    await using harness = await make();
    await harness.put(['a']);
    const first = await harness.queue.receive(WAITING, signal);
    expect(await harness.queue.receive(NOW, signal)).toEqual([]);
    await harness.queue.release(receiptsOf(first), signal);
    const second = await harness.queue.receive(WAITING, signal);
    expect(second).toMatchObject([{ id: first[0]?.id, body: 'a', receivedCount: 2 }]);
  });

  it('shows it again when its time is over', async () => {
    await using harness = await make();
    await harness.put(['a']);
    const [first] = await harness.queue.receive({ ...WAITING, visibilityMs: 1_000 }, signal);
    const [second] = await harness.queue.receive(WAITING, signal);
    expect(second).toMatchObject({ id: first?.id, receivedCount: 2 });
  });

  it('never gives again what was deleted, in more than one batch', async () => {
    await using harness = await make();
    await harness.put(Array.from({ length: 23 }, (_, i) => `message ${i}`));
    const got = await drain(harness.queue);
    expect(got.length).toBe(23);
    await harness.queue.delete(receiptsOf(got), signal);
    await harness.queue.release(receiptsOf(got), signal);
    expect(await harness.queue.receive({ ...NOW, waitMs: 1_000 }, signal)).toEqual([]);
  });

  it('lets receipts pass whose messages are gone', async () => {
    await using harness = await make();
    await harness.put(['a', 'b']);
    const got = await drain(harness.queue);
    const receipts = receiptsOf(got);
    await harness.queue.delete(receipts.slice(0, 1), signal);
    await harness.queue.delete(receipts, signal);
    await harness.queue.release(receipts, signal);
    expect(await harness.queue.receive(NOW, signal)).toEqual([]);
  });
}
