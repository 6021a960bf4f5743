import { describe, expect, it } from '@jest/globals';
import { CALL, eventually, item, putOne, readAll } from './harness.ts';
import type { MakeHarness } from './harness.ts';

/** An expiry far enough for a test to see the item live, and near enough to wait for. */
const SOON_MS = 150;
/** Longer than any test. */
const NEVER_MS = 600_000;

const TEXTS = [
  ['nothing', ''],
  ['a NUL and control characters', 'a\0b\n\r\t\u{7f}'],
  ['every plane', 'é€\u{d7ff}\u{e000}\u{ffff}😀\u{10ffff}'],
  ['what looks like a header', `L${'0'.repeat(40)}`],
  ['quotes and braces', `'"{}[]\\%s$1`],
  ['a name that objects have', '__proto__'],
] as const;

export function itemsContract(make: MakeHarness): void {
  describe('items', () => {
    it.each(TEXTS)('keep %s as it is', async (_, text) => {
      await using harness = await make();
      const store = await harness.open();
      const key = `k${text}`;
      const revision = await putOne(store, item(key, text));
      const entry = { key, value: text, revision, expiresAt: undefined };
      expect(await store.getMany([key], CALL)).toEqual([{ state: 'live', ...entry }]);
      expect(await store.range({ prefix: key, limit: 10 }, CALL)).toEqual([entry]);
    });

    it('may be 1 MiB long', async () => {
      await using harness = await make();
      const store = await harness.open();
      const values = ['a', '€'].map((char) => char.repeat(Math.floor(1_048_576 / Buffer.byteLength(char))));
      await store.put(
        values.map((value, i) => item(`k${i}`, value)),
        CALL,
      );
      expect((await readAll(store)).map(({ value }) => value)).toEqual(values);
    });

    it('have the expiry that was asked for', async () => {
      await using harness = await make();
      const store = await harness.open();
      const before = Date.now();
      await putOne(store, { ...item('k'), ttlMs: NEVER_MS });
      const [entry] = await readAll(store);
      // The store's clock is another process's, and may round down.
      expect(entry?.expiresAt).toBeGreaterThanOrEqual(before + NEVER_MS - 2);
      expect(entry?.expiresAt).toBeLessThanOrEqual(Date.now() + NEVER_MS + 2);
    });

    it('are hidden from their expiry on, and gone at once', async () => {
      await using harness = await make();
      // No sweep comes to help.
      const store = await harness.open({ expiryIntervalMs: NEVER_MS });
      const revision = await putOne(store, { ...item('k'), ttlMs: SOON_MS });
      const states = new Set<string>();
      const gone = await eventually(async () => {
        const asked = Date.now();
        const [found] = await store.getMany(['k'], CALL);
        const [entry] = await readAll(store);
        if (entry !== undefined) expect(asked).toBeLessThanOrEqual((entry.expiresAt ?? 0) + 1);
        states.add(found?.state ?? 'nothing');
        return found?.state === 'gone' && found;
      }, 'the item is gone');
      expect([...states]).toEqual(['live', 'gone']);
      expect(gone).toMatchObject({ key: 'k', reason: 'expired' });
      expect(gone.revision).toBeGreaterThan(revision);
      expect(await readAll(store)).toEqual([]);
      expect(await store.count('', CALL)).toBe(0);
    });

    it('live on when they are renewed', async () => {
      await using harness = await make();
      const store = await harness.open({ expiryIntervalMs: 10 });
      const others = ['renewed', 'renewed for good', 'shortened'];
      await store.put(
        [...others, 'left'].map((key) => ({ ...item(key), ttlMs: SOON_MS })),
        CALL,
      );
      await putOne(store, { ...item('renewed'), ttlMs: NEVER_MS });
      await putOne(store, item('renewed for good'));
      await store.put(
        [
          { ...item('shortened'), ttlMs: NEVER_MS },
          item('shortened'),
          { ...item('shortened'), ttlMs: SOON_MS },
        ],
        CALL,
      );
      await eventually(async () => (await readAll(store)).length === 2, 'two have expired');
      const found = await store.getMany([...others, 'left'], CALL);
      expect(found.map(({ state }) => state)).toEqual(['live', 'live', 'gone', 'gone']);
    });

    it('are found in the order of the request', async () => {
      await using harness = await make();
      const store = await harness.open();
      await store.put(
        ['b', 'a', 'd'].map((key) => item(key, key)),
        CALL,
      );
      await store.delete([{ key: 'd' }], CALL);
      const keys = ['c', 'a', 'd', 'b', 'a'];
      const found = await store.getMany(keys, CALL);
      expect(found.map(({ key }) => key)).toEqual(keys);
      expect(found.map(({ state }) => state)).toEqual(['absent', 'live', 'gone', 'live', 'live']);
      expect(await store.getMany([], CALL)).toEqual([]);
    });
  });

  describe('tombstones', () => {
    it('tell how an item went, until it is put again', async () => {
      await using harness = await make();
      const store = await harness.open();
      await putOne(store, item('k'));
      const [deletion] = await store.delete([{ key: 'k' }], CALL);
      const { revision } = { revision: undefined, ...deletion };
      expect(await store.getMany(['k'], CALL)).toEqual([
        { state: 'gone', key: 'k', revision, reason: 'deleted' },
      ]);
      expect(await readAll(store)).toEqual([]);
      await putOne(store, item('k', 'new'));
      expect(await store.getMany(['k'], CALL)).toMatchObject([{ state: 'live', value: 'new' }]);
      expect(await readAll(store)).toMatchObject([{ key: 'k', value: 'new' }]);
    });

    it('are forgotten after their retention', async () => {
      await using harness = await make();
      const store = await harness.open({ goneRetentionMs: SOON_MS, expiryIntervalMs: 10 });
      await store.put([item('deleted'), { ...item('expired'), ttlMs: SOON_MS }], CALL);
      await store.delete([{ key: 'deleted' }], CALL);
      for (const key of ['deleted', 'expired']) {
        const states = new Set<string>();
        await eventually(async () => {
          const [found] = await store.getMany([key], CALL);
          states.add(found?.state ?? 'nothing');
          return found?.state === 'absent';
        }, 'the key is forgotten');
        expect([...states].at(-1)).toBe('absent');
      }
    });
  });
}
