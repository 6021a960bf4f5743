import { describe, expect, it } from '@jest/globals';
import { Latch } from './latch.ts';

describe('a latch', () => {
  it('ends the wait when it is opened, and does not stay open', async () => {
    const latch = new Latch();
    latch.open();
    const stop = new AbortController();
    const first = latch.wait(stop.signal);
    latch.open();
    await first;
    const second = latch.wait(stop.signal);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    latch.open();
  });

  it('rejects at once when the signal has aborted', async () => {
    await expect(new Latch().wait(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });
});
