import { describe, expect, it, jest } from '@jest/globals';
import { MINUTE, SECOND, silentLogger } from '@tagplane/runtime';
import type { Credentials } from './credentials.ts';
import { JoinRefusedError, joinRetryMs, joinUntilIn } from './join-retry.ts';

const never = new AbortController().signal;
const IN: Credentials = {
  id: 'spiffe://test/agent/web-1',
  role: 'agent',
  name: 'web-1',
  instance: undefined,
  privateKey: 'key',
  certificates: [],
  trust: { cluster: 'test', generation: 1, authorities: [] },
  validFrom: 0,
  validUntil: 1,
  receivedAt: 0,
};

describe('joinRetryMs', () => {
  it.each([
    [1, false, 1, SECOND],
    [1, false, 0, 0],
    [4, false, 1, 8 * SECOND],
    [100, false, 1, MINUTE],
    [1, true, 0, MINUTE],
    [100, true, 1, 5 * MINUTE],
  ])('after failure %d (refused: %p), with %d drawn, is %d ms', (failures, refused, drawn, ms) => {
    expect(joinRetryMs(failures, refused, () => drawn)).toBe(ms);
  });
});

describe('joinUntilIn', () => {
  it('goes on over failures and refusals, and tells of each', async () => {
    jest.useFakeTimers();
    try {
      const results: unknown[] = [];
      const answers = [
        () => Promise.reject(new Error('nobody there')),
        () => Promise.reject(new JoinRefusedError('no such token')),
        () => Promise.resolve(IN),
      ];
      let at = 0;
      const began = Date.now();
      const times: number[] = [];
      const joining = joinUntilIn(
        {
          join: () => {
            times.push(Date.now() - began);
            const answer = answers[at] ?? (() => Promise.reject(new Error('asked too often')));
            at += 1;
            return answer();
          },
          observer: { joined: (...result) => results.push(result) },
          log: silentLogger(),
          random: () => 0.5,
        },
        never,
      );
      await jest.advanceTimersByTimeAsync(10 * MINUTE);
      expect(await joining).toBe(IN);
      expect(results).toEqual([['failed', 'nobody there'], ['refused', 'no such token'], ['ok']]);
      expect(times).toEqual([0, 500, 3 * MINUTE + 500]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('ends with the signal, in an attempt or between two', async () => {
    for (const join of [
      (signal: AbortSignal) =>
        new Promise<Credentials>((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('cut off'));
          });
        }),
      () => Promise.reject(new Error('nobody there')),
    ]) {
      const stop = new AbortController();
      const joining = joinUntilIn({ join, log: silentLogger(), random: () => 1 }, stop.signal);
      stop.abort(new Error('stopped'));
      await expect(joining).rejects.toThrow('stopped');
    }
  });
});
