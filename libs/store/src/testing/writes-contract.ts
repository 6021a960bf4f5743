import { describe, expect, it } from '@jest/globals';
import type { Store, WriteResult } from '../store.ts';
import { CALL, TEST_TIMEOUT_MS, eventually, item, putOne, readAll, revisionsOf } from './harness.ts';
import type { MakeHarness } from './harness.ts';

type State = 'absent' | 'live' | 'deleted' | 'expired';

/** Brings the key `k` into a state; returns its live revision. */
async function prepare(store: Store, state: State): Promise<number | undefined> {
  if (state === 'absent') return undefined;
  const revision = await putOne(store, { ...item('k'), ttlMs: state === 'expired' ? 1 : undefined });
  if (state === 'live') return revision;
  if (state === 'deleted') await store.delete([{ key: 'k' }], CALL);
  else await eventually(async () => (await readAll(store)).length === 0, 'the item has expired');
  return undefined;
}

export function writesContract(make: MakeHarness): void {
  describe('expectations', () => {
    it.each<[State, boolean]>([
      ['absent', true],
      ['live', false],
      ['deleted', true],
      ['expired', true],
    ])('put "not live" on a key that is %s: %s', async (state, written) => {
      await using harness = await make();
      const store = await harness.open({ expiryIntervalMs: 600_000 });
      const actual = await prepare(store, state);
      const [result] = await store.put([{ ...item('k', 'new'), expected: { live: false } }], CALL);
      expect(result).toMatchObject(written ? { written } : { written, actual });
      expect((await readAll(store)).map(({ value }) => value)).toEqual([written ? 'new' : 'v']);
    });

    it.each<State>(['absent', 'live', 'deleted', 'expired'])(
      'put and delete at a revision on a key that is %s',
      async (state) => {
        await using harness = await make();
        const store = await harness.open({ expiryIntervalMs: 600_000 });
        const older = await putOne(store, item('k'));
        await store.delete([{ key: 'k' }], CALL);
        const actual = await prepare(store, state);
        const stale = { key: 'k', expected: { revision: older } };
        const refused: WriteResult = { written: false, actual };
        expect(await store.put([{ ...item('k'), ...stale }], CALL)).toEqual([refused]);
        expect(await store.delete([stale], CALL)).toEqual([refused]);
        if (actual === undefined) return;
        const [put] = revisionsOf(await store.put([{ ...item('k'), expected: { revision: actual } }], CALL));
        const right = { key: 'k', expected: { revision: put ?? 0 } };
        expect(await store.delete([right], CALL)).toMatchObject([{ written: true }]);
      },
    );

    it('let one of many writers win', async () => {
      await using harness = await make();
      const stores = [await harness.open(), await harness.open()];
      const revision = await putOne(stores[0] as Store, item('k'));
      const attempts = Array.from({ length: 50 }, (_, i) =>
        (stores[i % 2] as Store).put([{ ...item('k', `${i}`), expected: { revision } }], CALL),
      );
      const results = (await Promise.all(attempts)).flat();
      const winners = results.flatMap((result) => (result.written ? [result.revision] : []));
      expect(winners).toHaveLength(1);
      const refused = results.filter(({ written }) => !written);
      expect(refused.every((result) => !result.written && result.actual === winners[0])).toBe(true);
    });

    it('see what the same call wrote before', async () => {
      await using harness = await make();
      const store = await harness.open();
      const once = { ...item('k', 'first'), expected: { live: false } } as const;
      expect(await store.put([once, { ...once, value: 'second' }], CALL)).toMatchObject([
        { written: true },
        { written: false },
      ]);
      const deleted = await store.delete([{ key: 'k' }, { key: 'k' }], CALL);
      expect(deleted).toMatchObject([{ written: true }, { written: false, actual: undefined }]);
    });
  });

  describe('revisions', () => {
    it('rise strictly over keys, calls, stores and reopening', async () => {
      await using harness = await make();
      const seen: number[] = [];
      for (let round = 0; round < 3; round++) {
        const stores = [await harness.open(), await harness.open()];
        for (const store of [...stores, ...stores]) {
          seen.push(...revisionsOf(await store.put([item('a'), item('b'), item('a')], CALL)));
          seen.push(...revisionsOf(await store.delete([{ key: 'b' }], CALL)));
        }
        for (const store of stores) await store[Symbol.asyncDispose]();
      }
      expect(seen.every((revision, i) => i === 0 || revision > (seen[i - 1] ?? 0))).toBe(true);
      expect(seen.every(Number.isSafeInteger)).toBe(true);
    });

    it('rise after a loss of all data', async () => {
      await using harness = await make();
      const before = await putOne(await harness.open(), item('k'));
      await harness.empty();
      expect(await putOne(await harness.open(), item('k'))).toBeGreaterThan(before);
    });
  });

  describe('calls', () => {
    it('write nothing when they are given nothing', async () => {
      await using harness = await make();
      const store = await harness.open();
      expect(await store.put([], CALL)).toEqual([]);
      expect(await store.delete([], CALL)).toEqual([]);
    });

    it('write 1,000 items', async () => {
      await using harness = await make();
      const store = await harness.open();
      const keys = Array.from({ length: 1_000 }, (_, i) => `k${String(i).padStart(4, '0')}`);
      const revisions = revisionsOf(
        await store.put(
          keys.map((key) => item(key, key)),
          CALL,
        ),
      );
      const entries = keys.map((key, i) => ({
        key,
        value: key,
        revision: revisions[i],
        expiresAt: undefined,
      }));
      expect(await readAll(store)).toEqual(entries);
      expect(await store.getMany(keys, CALL)).toEqual(entries.map((entry) => ({ state: 'live', ...entry })));
      await store.delete(
        keys.slice(1).map((key) => ({ key })),
        CALL,
      );
      expect(await store.count('', CALL)).toBe(1);
    });

    it('may be 10,000 at a time', async () => {
      await using harness = await make();
      const store = await harness.open({ commandTimeoutMs: TEST_TIMEOUT_MS });
      const keys = Array.from({ length: 10_000 }, (_, i) => `k${String(i).padStart(5, '0')}`);
      const results = await Promise.all(keys.map((key) => store.put([item(key, key)], CALL)));
      const revisions = revisionsOf(results.flat());
      expect(new Set(revisions).size).toBe(keys.length);
      expect((await readAll(store)).map(({ key, revision }) => [key, revision])).toEqual(
        keys.map((key, i) => [key, revisions[i]]),
      );
    });
  });
}
