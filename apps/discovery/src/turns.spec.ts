import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.ts';

const forever = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('are given to so many at a time, and then in the order of asking', async () => {
    const turns = new Turns(2);
    const began: number[] = [];
    const held = new Map<number, Disposable>();
    for (const number of [0, 1, 2, 3]) {
      void turns.take(forever).then((turn) => {
        began.push(number);
        held.set(number, turn);
      });
    }
    await settle();
    expect([began, turns.waiting]).toEqual([[0, 1], 2]);
    held.get(1)?.[Symbol.dispose]();
    // Given back once, however often it is said.
    held.get(1)?.[Symbol.dispose]();
    await settle();
    expect(began).toEqual([0, 1, 2]);
    held.get(0)?.[Symbol.dispose]();
    held.get(2)?.[Symbol.dispose]();
    await settle();
    expect([began, turns.waiting]).toEqual([[0, 1, 2, 3], 0]);
  });

  it('are not waited for any more once the signal aborts', async () => {
    const turns = new Turns(1);
    using _ = await turns.take(forever);
    const stop = new AbortController();
    const waiting = turns.take(stop.signal);
    stop.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await expect(turns.take(stop.signal)).rejects.toThrow('stop');
    expect(turns.waiting).toBe(0);
  });
});
