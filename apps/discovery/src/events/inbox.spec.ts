import { describe, expect, it } from '@jest/globals';
import { fakeQueue } from '@tagplane/aws/testing';
import type { FakeQueue } from '@tagplane/aws/testing';
import type { QueueMessage } from '@tagplane/aws';
import { Inbox, VISIBILITY_MS } from './inbox.ts';

const { signal } = new AbortController();

async function received(queue: FakeQueue, ...bodies: string[]): Promise<QueueMessage[]> {
  for (const body of bodies) queue.put(body);
  return queue.receive({ max: 10, waitMs: 0, visibilityMs: VISIBILITY_MS }, signal);
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
}

describe('an inbox', () => {
  it('deletes a message after the last of its changes, once', async () => {
    const queue = fakeQueue();
    const inbox = new Inbox(queue);
    const ticket = inbox.open(first(await received(queue, 'a')), 2);
    inbox.settle(ticket);
    expect([inbox.size, inbox.hasDone]).toEqual([1, false]);
    inbox.settle(ticket);
    inbox.settle(ticket);
    expect([inbox.size, inbox.hasDone, queue.size]).toEqual([0, true, 1]);
    await inbox.deleteDone(signal);
    expect([inbox.hasDone, queue.size]).toEqual([false, 0]);
  });

  it('has room for 10,000 messages, or 32 MiB of them', async () => {
    const queue = fakeQueue();
    const [small, large] = [new Inbox(queue), new Inbox(queue)];
    const message = first(await received(queue, 'a'));
    for (let number = 0; number < 10_000; number += 1) {
      expect(small.hasRoom).toBe(true);
      small.open(message, 1);
    }
    expect(small.hasRoom).toBe(false);
    const body = 'x'.repeat(1024 * 1024);
    const tickets = Array.from({ length: 32 }, () => large.open({ ...message, body }, 1));
    expect(large.hasRoom).toBe(false);
    large.settle(first(tickets));
    expect(large.hasRoom).toBe(true);
  });

  it('shows at its end what is not done with, and deletes what is', async () => {
    const queue = fakeQueue();
    const inbox = new Inbox(queue);
    const [one, two] = await received(queue, 'a', 'b');
    if (one === undefined || two === undefined) throw new Error('two were put');
    inbox.settle(inbox.open(one, 1));
    inbox.open(two, 1);
    await inbox.close();
    expect((await received(queue)).map(({ body }) => body)).toEqual(['b']);
    expect(queue.size).toBe(1);
  });

  it('ends also when the queue cannot be reached', async () => {
    const queue = fakeQueue();
    const inbox = new Inbox(queue);
    inbox.open(first(await received(queue, 'a')), 1);
    queue.fail('unreachable');
    await inbox.close();
    expect(queue.size).toBe(1);
  });
});
