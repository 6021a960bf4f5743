import { describe, expect, it } from '@jest/globals';
import { ReconcileQueue } from './reconcile-queue.ts';

const { signal } = new AbortController();

describe('ReconcileQueue', () => {
  it('hands out what waits, each item once, in order, at most so many', async () => {
    const queue = new ReconcileQueue<string>();
    for (const item of ['a', 'b', 'a', 'c']) queue.add(item);
    expect(queue.size).toBe(3);
    expect(await queue.take(2, signal)).toEqual(['a', 'b']);
    expect(await queue.take(2, signal)).toEqual(['c']);
  });

  it('gives an item that is being worked on to nobody else, but again afterwards', async () => {
    const queue = new ReconcileQueue<string>();
    queue.add('a');
    const batch = await queue.take(9, signal);
    queue.add('a');
    queue.add('b');
    expect(await queue.take(9, signal)).toEqual(['b']);
    queue.done(batch);
    expect(await queue.take(9, signal)).toEqual(['a']);
  });

  it('wakes as many workers as there is work for', async () => {
    const queue = new ReconcileQueue<string>();
    const takes = [queue.take(1, signal), queue.take(1, signal)];
    queue.add('a');
    queue.add('b');
    expect((await Promise.all(takes)).flat().sort()).toEqual(['a', 'b']);
  });

  it('leaves no worker asleep beside work when another one was faster', async () => {
    const queue = new ReconcileQueue<string>();
    const sleeping = queue.take(9, signal);
    queue.add('a');
    const batch = await queue.take(9, signal);
    expect(batch).toEqual(['a']);
    queue.add('b');
    expect(await sleeping).toEqual(['b']);
  });

  it('forgets an item, also one that was to come again', async () => {
    const queue = new ReconcileQueue<string>();
    queue.add('a');
    const batch = await queue.take(9, signal);
    queue.add('a');
    queue.add('b');
    queue.delete('a');
    queue.delete('b');
    queue.done(batch);
    expect(queue.size).toBe(0);
  });

  it('ends a wait with the signal', async () => {
    const stop = new AbortController();
    const waiting = new ReconcileQueue<string>().take(1, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
