import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Store } from '../store.ts';
import { readFeed } from './feed-reader.ts';
import type { FeedPosition } from './feed-reader.ts';
import { CALL, eventually, item, nextBatch, putOne, readAll, revisionsOf } from './harness.ts';
import type { MakeHarness } from './harness.ts';

const FAST = { expiryIntervalMs: 10 };

export function feedContract(make: MakeHarness): void {
  describe('feed', () => {
    it('begins with a reset, and tells every change in order', async () => {
      await using harness = await make();
      const store = await harness.open(FAST);
      const before = await putOne(store, item('before'));
      await using reader = await readFeed(store);
      expect(reader.batches).toEqual([{ type: 'reset', revision: before, epoch: await store.epoch(CALL) }]);
      const put = revisionsOf(await store.put([item('a'), { ...item('b'), ttlMs: 30 }], CALL));
      const deleted = revisionsOf(await store.delete([{ key: 'a' }, { key: 'before' }], CALL));
      await reader.until(({ changes }) => changes.length === 5, 'five changes');
      const expired = reader.changes.find(({ type }) => type === 'expired');
      expect(expired).toMatchObject({ key: 'b' });
      expect(reader.changes.filter(({ type }) => type !== 'expired')).toEqual([
        { type: 'put', key: 'a', revision: put[0] },
        { type: 'put', key: 'b', revision: put[1] },
        { type: 'deleted', key: 'a', revision: deleted[0] },
        { type: 'deleted', key: 'before', revision: deleted[1] },
      ]);
      const revisions = reader.changes.map(({ revision }) => revision);
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    });

    it('does not tell of writes that were refused', async () => {
      await using harness = await make();
      const store = await harness.open();
      await using reader = await readFeed(store);
      await store.put([{ ...item('a'), expected: { revision: 1 } }], CALL);
      await store.delete([{ key: 'a' }], CALL);
      await putOne(store, item('b'));
      await reader.until(({ changes }) => changes.length > 0, 'a change');
      expect(reader.changes).toMatchObject([{ type: 'put', key: 'b' }]);
    });

    it('begins on an empty store, and misses nothing from there on', async () => {
      await using harness = await make();
      const store = await harness.open();
      await using reader = await readFeed(store);
      await putOne(store, item('a'));
      await reader.until(({ changes }) => changes.length > 0, 'a change');
      expect(reader.batches.map(({ type }) => type)).toEqual(['reset', 'changes']);
    });

    it('goes on after any revision, also in another store', async () => {
      await using harness = await make();
      const store = await harness.open();
      const revisions = revisionsOf(await store.put([item('a'), item('b'), item('c')], CALL));
      const epoch = await store.epoch(CALL);
      await store[Symbol.asyncDispose]();
      const again = await harness.open();
      for (const [i, revision] of revisions.entries()) {
        await using reader = await readFeed(again, { revision, epoch });
        const later = await putOne(again, item('later'));
        await reader.until(({ position }) => position?.revision === later, 'the last change');
        expect(reader.changes.slice(0, 2 - i)).toMatchObject([{ key: 'b' }, { key: 'c' }].slice(i));
        expect(reader.batches.every(({ type }) => type === 'changes')).toBe(true);
      }
    });

    it('has no gap and no duplicate while many write and readers come back', async () => {
      await using harness = await make();
      const stores = [await harness.open(), await harness.open()] as const;
      const start = await startOf(stores[0]);
      const writing = Promise.all(stores.map((store, s) => writeMany(store, `s${s}`)));
      const readers = Promise.all([readInPieces(stores[0], start, 1), readInPieces(stores[1], start, 3)]);
      const written = (await writing).flat().sort((a, b) => a - b);
      for (const read of await readers) expect(read).toEqual(written);
    });

    it('tells of each expiry once, however many stores look for them', async () => {
      await using harness = await make();
      const stores = [await harness.open(FAST), await harness.open(FAST), await harness.open(FAST)] as const;
      await using reader = await readFeed(stores[0]);
      const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
      await stores[1].put(
        keys.map((key, i) => ({ ...item(key), ttlMs: 20 + (i % 50) })),
        CALL,
      );
      await reader.until(({ changes }) => changes.length >= 400, 'all have expired');
      // Whatever a slow store might still say comes before this.
      const last = await putOne(stores[2], item('last'));
      await reader.until(({ position }) => position?.revision === last, 'the last change');
      const expired = reader.changes.filter(({ type }) => type === 'expired').map(({ key }) => key);
      expect(expired.sort()).toEqual([...keys].sort());
      expect(await readAll(stores[0])).toMatchObject([{ key: 'last' }]);
    });
  });

  resetsContract(make);
}

/** Puts 300 items, one to seven a call. */
async function writeMany(store: Store, prefix: string): Promise<readonly number[]> {
  const revisions: number[] = [];
  for (let i = 0; revisions.length < 300; i++) {
    const keys = Array.from(
      { length: Math.min(1 + (i % 7), 300 - revisions.length) },
      (_, n) => `${prefix}/${i}/${n}`,
    );
    revisions.push(
      ...revisionsOf(
        await store.put(
          keys.map((key) => item(key)),
          CALL,
        ),
      ),
    );
  }
  return revisions;
}

/** Reads 600 changes; leaves after every few batches and comes back where it was. */
async function readInPieces(store: Store, start: FeedPosition, batches: number): Promise<readonly number[]> {
  const revisions: number[] = [];
  while (revisions.length < 600) {
    const after = { ...start, revision: revisions.at(-1) ?? start.revision };
    await using reader = await readFeed(store, after);
    const wanted = 600 - revisions.length;
    await reader.until(
      ({ changes, batches: { length } }) => length >= batches || changes.length >= wanted,
      'changes',
    );
    if (reader.batches.some(({ type }) => type === 'reset')) throw new Error('the feed was reset');
    revisions.push(...reader.changes.map(({ revision }) => revision));
  }
  return revisions;
}

async function startOf(store: Store): Promise<FeedPosition> {
  await using reader = await readFeed(store);
  if (reader.position === undefined) throw new Error('the feed has no position');
  return reader.position;
}

const SHORT_FEED = { feedLength: 100 };

function resetsContract(make: MakeHarness): void {
  describe('feed resets', () => {
    const batch = Array.from({ length: 500 }, (_, i) => item(`k${i}`));

    it('a reader that comes back after its position was trimmed', async () => {
      await using harness = await make();
      const store = await harness.open(SHORT_FEED);
      const start = await startOf(store);
      for (let i = 0; i < 4; i++) await store.put(batch, CALL);
      const last = await putOne(store, item('last'));
      await using reader = await readFeed(store, start);
      await reader.until(({ batches }) => batches.length > 0, 'a batch');
      expect(reader.batches).toEqual([{ type: 'reset', revision: last, epoch: start.epoch }]);
      await using near = await readFeed(store, { ...start, revision: last });
      await putOne(store, item('later'));
      await near.until(({ batches }) => batches.length > 0, 'a batch');
      expect(near.batches).toMatchObject([{ type: 'changes', changes: [{ key: 'later' }] }]);
    });

    it('a reader that was too slow', async () => {
      await using harness = await make();
      const store = await harness.open(SHORT_FEED);
      const stop = new AbortController();
      const watch = store.watch(stop)[Symbol.asyncIterator]();
      const first = await nextBatch(watch);
      for (let i = 0; i < 4; i++) await store.put(batch, CALL);
      const last = await putOne(store, item('last'));
      // What it had fetched before the trim is no gap.
      const reset = await eventually(async () => {
        const batch = await nextBatch(watch);
        return batch.type === 'reset' && batch;
      }, 'the reset');
      expect(reset.revision).toBe(last);
      expect(first.type).toBe('reset');
      stop.abort();
      expect(await watch.next()).toMatchObject({ done: true });
    });

    it('a reader of another epoch, and one that is ahead or between', async () => {
      await using harness = await make();
      const store = await harness.open();
      const epoch = await store.epoch(CALL);
      // Revisions are microseconds: after a pause, none was given out just before the first of these.
      await delay(10);
      const [first = 0, last = 0] = revisionsOf(await store.put([item('a'), item('b'), item('c')], CALL));
      const strangers = [
        { revision: first, epoch: 'another' },
        { revision: last + 1_000_000_000, epoch },
        { revision: first - 1, epoch },
        { revision: 0, epoch },
      ];
      for (const position of strangers) {
        await using reader = await readFeed(store, position);
        await reader.until(({ batches }) => batches.length > 0, 'a batch');
        expect(reader.batches).toMatchObject([{ type: 'reset', epoch }]);
      }
    });

    it('every reader when the store was emptied, with a new epoch', async () => {
      await using harness = await make();
      const store = await harness.open();
      await putOne(store, item('a'));
      const start = await startOf(store);
      expect(await (await harness.open()).epoch(CALL)).toBe(start.epoch);
      await harness.empty();
      const again = await harness.open();
      const epoch = await again.epoch(CALL);
      expect(epoch).not.toBe(start.epoch);
      expect(await again.getMany(['a'], CALL)).toEqual([{ state: 'absent', key: 'a' }]);
      await using reader = await readFeed(again, start);
      await reader.until(({ batches }) => batches.length > 0, 'a batch');
      expect(reader.batches).toMatchObject([{ type: 'reset', epoch }]);
    });
  });
}
