import { describe, expect, it } from '@jest/globals';
import { StoreUnavailableError } from '../store.ts';
import type { CallOptions, Store } from '../store.ts';
import { CALL, item, nextBatch } from './harness.ts';
import type { MakeHarness } from './harness.ts';

const METHODS: readonly [string, (store: Store, options: CallOptions) => Promise<unknown>][] = [
  ['put', (store, options) => store.put([item('k')], options)],
  ['getMany', (store, options) => store.getMany(['k'], options)],
  ['range', (store, options) => store.range({ prefix: '', limit: 1 }, options)],
  ['count', (store, options) => store.count('', options)],
  ['delete', (store, options) => store.delete([{ key: 'k' }], options)],
  ['epoch', (store, options) => store.epoch(options)],
  ['ping', (store, options) => store.ping(options)],
];

const long = 'k'.repeat(1_025);
const many = Array.from({ length: 1_001 }, (_, i) => item(`k${i}`));

const OUT_OF_BOUNDS: readonly [string, (store: Store) => Promise<unknown>][] = [
  ['putting 1,001 items', (store) => store.put(many, CALL)],
  ['putting an empty key', (store) => store.put([item('')], CALL)],
  ['putting half a surrogate pair', (store) => store.put([item('k', '\ud800')], CALL)],
  ['putting more than 1 MiB', (store) => store.put([item('k', 'v'.repeat(1_048_577))], CALL)],
  ['putting for no time', (store) => store.put([{ ...item('k'), ttlMs: 0 }], CALL)],
  [
    'getting 1,001 keys',
    (store) =>
      store.getMany(
        many.map(({ key }) => key),
        CALL,
      ),
  ],
  ['getting a key of 1,025 bytes', (store) => store.getMany([long], CALL)],
  ['a range of none', (store) => store.range({ prefix: '', limit: 0 }, CALL)],
  ['a range of 1,001', (store) => store.range({ prefix: '', limit: 1_001 }, CALL)],
  ['counting under a long prefix', (store) => store.count(long, CALL)],
  [
    'deleting 1,001 keys',
    (store) =>
      store.delete(
        many.map(({ key }) => ({ key })),
        CALL,
      ),
  ],
  ['watching from half a revision', (store) => nextBatch(watchFrom(store, 0.5))],
];

function watchFrom(
  store: Store,
  revision: number,
): ReturnType<AsyncIterable<never>[typeof Symbol.asyncIterator]> {
  return store.watch({ ...CALL, after: { revision, epoch: '' } })[Symbol.asyncIterator]() as never;
}

export function limitsContract(make: MakeHarness): void {
  describe('limits', () => {
    it.each(METHODS)('%s rejects with the reason of an aborted signal', async (_, call) => {
      await using harness = await make();
      const store = await harness.open();
      const reason = new Error('stop');
      await expect(call(store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      // An abort afterwards is none of its business.
      const later = new AbortController();
      await call(store, later);
      later.abort(reason);
    });

    it('watch ends without an error when its signal aborts, before or while it waits', async () => {
      await using harness = await make();
      const store = await harness.open();
      const never = store.watch({ signal: AbortSignal.abort() })[Symbol.asyncIterator]();
      expect(await never.next()).toMatchObject({ done: true });
      const stop = new AbortController();
      const watch = store.watch(stop)[Symbol.asyncIterator]();
      expect(await nextBatch(watch)).toMatchObject({ type: 'reset' });
      const waiting = watch.next();
      stop.abort();
      expect(await waiting).toMatchObject({ done: true });
    });

    it('watch ends when its reader leaves', async () => {
      await using harness = await make();
      const store = await harness.open();
      for await (const { type } of store.watch(CALL)) {
        expect(type).toBe('reset');
        break;
      }
    });

    it.each(OUT_OF_BOUNDS)('%s is a RangeError', async (_, call) => {
      await using harness = await make();
      await expect(call(await harness.open())).rejects.toThrow(RangeError);
    });

    it('a closed store is unavailable, and closing it twice is no error', async () => {
      await using harness = await make();
      const store = await harness.open();
      const watch = store.watch(CALL)[Symbol.asyncIterator]();
      await nextBatch(watch);
      const waiting = expect(watch.next()).rejects.toThrow(StoreUnavailableError);
      await store[Symbol.asyncDispose]();
      await waiting;
      for (const [, call] of METHODS) await expect(call(store, CALL)).rejects.toThrow(StoreUnavailableError);
      await store[Symbol.asyncDispose]();
    });
  });
}
