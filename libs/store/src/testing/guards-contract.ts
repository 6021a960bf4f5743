import { describe, expect, it } from '@jest/globals';
import { GuardError } from '../store.ts';
import type { Guard, Store } from '../store.ts';
import { CALL, eventually, item, putOne, readAll, revisionsOf } from './harness.ts';
import type { MakeHarness } from './harness.ts';

/** As the key of a guard may be. */
type State = 'absent' | 'live' | 'deleted' | 'expired';

async function prepare(store: Store, state: State): Promise<void> {
  if (state === 'absent') return;
  await putOne(store, { ...item('guard', 'ümlaut and more'), ttlMs: state === 'expired' ? 1 : undefined });
  if (state === 'deleted') await store.delete([{ key: 'guard' }], CALL);
  if (state === 'expired')
    await eventually(async () => (await readAll(store)).length === 0, 'it has expired');
}

const starting = (startsWith: string): Guard => ({ key: 'guard', startsWith });
const notLive: Guard = { key: 'guard', live: false };

export function guardsContract(make: MakeHarness): void {
  describe('guards', () => {
    it.each<[State, boolean]>([
      ['absent', false],
      ['live', true],
      ['deleted', false],
      ['expired', false],
    ])('on a key that is %s', async (state, live) => {
      await using harness = await make();
      const store = await harness.open({ expiryIntervalMs: 600_000 });
      await prepare(store, state);
      const holding = live ? [starting(''), starting('ü'), starting('ümlaut and more')] : [notLive];
      const failing = live
        ? [notLive, starting('u'), starting('mlaut'), starting('ümlaut and more ')]
        : [starting(''), starting('ümlaut')];
      for (const guard of failing) {
        await expect(store.put([item('a')], { ...CALL, guard })).rejects.toThrow(GuardError);
        await expect(store.put([], { ...CALL, guard })).rejects.toThrow(GuardError);
      }
      expect(await store.count('a', CALL)).toBe(0);
      const revisions = new Set<number | undefined>();
      for (const guard of holding) {
        expect(await store.put([], { ...CALL, guard })).toEqual([]);
        for (const revision of revisionsOf(await store.put([item('a'), item('b')], { ...CALL, guard }))) {
          revisions.add(revision);
        }
      }
      expect(revisions.size).toBe(2 * holding.length);
      for (const guard of failing) {
        await expect(store.delete([{ key: 'a' }], { ...CALL, guard })).rejects.toThrow(GuardError);
      }
      expect(await store.count('a', CALL)).toBe(1);
      for (const guard of holding) {
        const [deleted] = await store.delete([{ key: 'a' }], { ...CALL, guard });
        expect(deleted?.written).toBe(guard === holding[0]);
      }
    });

    it('leave expectations and expiry as they are', async () => {
      await using harness = await make();
      const store = await harness.open();
      await putOne(store, item('guard', 'mine'));
      const guard = starting('mine');
      const kept = { ...item('a', 'first'), ttlMs: 600_000, expected: { live: false } } as const;
      const results = await store.put([kept, { ...kept, value: 'second' }, item('b')], { ...CALL, guard });
      expect(results.map(({ written }) => written)).toEqual([true, false, true]);
      const entries = await readAll(store);
      expect(entries.map(({ key, value }) => [key, value])).toEqual([
        ['a', 'first'],
        ['b', 'v'],
        ['guard', 'mine'],
      ]);
      expect(entries.map(({ expiresAt }) => expiresAt === undefined)).toEqual([false, true, true]);
    });

    it('may be on what the call itself writes', async () => {
      await using harness = await make();
      const store = await harness.open();
      const guard: Guard = { key: 'a', live: false };
      await store.put([item('a')], { ...CALL, guard });
      await expect(store.put([item('a')], { ...CALL, guard })).rejects.toThrow(GuardError);
    });

    it('let nothing through after the other has taken over, whoever writes side by side', async () => {
      await using harness = await make();
      const [one, other] = [await harness.open(), await harness.open()];
      await putOne(one, item('guard', '1'));
      const writes = Array.from({ length: 200 }, (_, i) =>
        (i % 2 === 0 ? one : other)
          .put([item(`k${i}`)], { ...CALL, guard: starting('1') })
          .then(([result]) => (result?.written === true ? result.revision : 0))
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(GuardError);
            return 0;
          }),
      );
      const taken = await putOne(other, item('guard', '2'));
      const revisions = await Promise.all(writes);
      expect(Math.max(...revisions)).toBeLessThan(taken);
      expect(await one.count('k', CALL)).toBe(revisions.filter((revision) => revision > 0).length);
    });
  });

  describe('an expected end', () => {
    it.each<[value: string, end: string, written: boolean]>([
      ['of mine', 'mine', true],
      ['of mine', 'of mine', true],
      ['of mine', '', true],
      ['', '', true],
      ['of mine', 'min', false],
      ['of mine', 'not of mine', false],
      ['', 'x', false],
      // As the records of a store may have zeros in front of the value.
      ['', '0', false],
      ['0', '00', false],
      ['ü', 'ü', true],
      ['ü', '\u00bc', false],
    ])('on %j of %j: %s', async (value, end, written) => {
      await using harness = await make();
      const store = await harness.open();
      const expected = { endsWith: end };
      const revision = await putOne(store, item('k', value));
      const refused = { written: false, actual: revision };
      const [put] = await store.put([{ ...item('k', value), expected }], CALL);
      expect(put).toEqual(written ? { written, revision: expect.any(Number) } : refused);
      const [deleted] = await store.delete([{ key: 'k', expected }], CALL);
      expect(deleted).toEqual(written ? { written, revision: expect.any(Number) } : refused);
    });

    it.each<State>(['absent', 'deleted', 'expired'])('writes a key that is %s', async (state) => {
      await using harness = await make();
      const store = await harness.open({ expiryIntervalMs: 600_000 });
      await prepare(store, state);
      const expected = { endsWith: 'x' };
      expect(await store.delete([{ key: 'guard', expected }], CALL)).toEqual([
        { written: false, actual: undefined },
      ]);
      expect(await store.put([{ ...item('guard', 'y'), expected }], CALL)).toMatchObject([{ written: true }]);
      expect(await store.put([{ ...item('guard', 'z'), expected }], CALL)).toMatchObject([
        { written: false },
      ]);
    });
  });
}
