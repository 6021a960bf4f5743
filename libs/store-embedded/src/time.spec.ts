import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '@tagplane/store';
import { CALL, item, putOne, readAll } from '@tagplane/store/testing';
import { openEmbeddedStore } from './embedded-store.ts';

const MINUTE = 60_000;

describe('an embedded store under virtual time', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  });

  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('expires and forgets by that time', async () => {
    await using store = openEmbeddedStore({ path: ':memory:', kind: 'test', expiryIntervalMs: MINUTE });
    const stop = new AbortController();
    const changes: string[] = [];
    const watching = (async () => {
      for await (const batch of store.watch(stop)) {
        if (batch.type === 'changes') changes.push(...batch.changes.map(({ type, key }) => `${type} ${key}`));
      }
    })();
    await jest.advanceTimersByTimeAsync(0);
    await putOne(store, { ...item('k'), ttlMs: 90 * MINUTE });
    await jest.advanceTimersByTimeAsync(90 * MINUTE - 1);
    expect(await readAll(store)).toMatchObject([{ key: 'k', expiresAt: Date.now() + 1 }]);
    await jest.advanceTimersByTimeAsync(1);
    expect(await readAll(store)).toEqual([]);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(changes).toEqual(['put k', 'expired k']);
    expect(await store.getMany(['k'], CALL)).toMatchObject([{ state: 'gone' }]);
    await jest.advanceTimersByTimeAsync(24 * 60 * MINUTE);
    expect(await store.getMany(['k'], CALL)).toMatchObject([{ state: 'absent' }]);
    stop.abort();
    await watching;
  });

  it('takes the clock that it is given, and needs no monotonic one', async () => {
    let now = 5_000;
    await using store = openEmbeddedStore({ path: ':memory:', kind: 'test', now: () => now });
    const first = await putOne(store, { ...item('k'), ttlMs: 100 });
    now = 4_000;
    const second = await putOne(store, { ...item('k'), ttlMs: 100 });
    expect(second).toBeGreaterThan(first);
    expect(await readAll(store)).toMatchObject([{ expiresAt: 4_100 }]);
    now = 4_100;
    expect(await readAll(store)).toEqual([]);
  });

  it('keeps stores in memory apart', async () => {
    await using one = openEmbeddedStore({ path: ':memory:', kind: 'test' });
    await using other = openEmbeddedStore({ path: ':memory:', kind: 'test' });
    await putOne(one, item('k'));
    expect(await readAll(other)).toEqual([]);
    await one[Symbol.asyncDispose]();
    await expect(readAll(one)).rejects.toThrow(StoreUnavailableError);
  });
});
