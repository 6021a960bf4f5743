import { describe, expect, it } from '@jest/globals';
import { compareKeys } from '../order.ts';
import type { Store } from '../store.ts';
import { CALL, item, readAll } from './harness.ts';
import type { MakeHarness } from './harness.ts';

// In the order of their UTF-8 bytes, which is neither that of UTF-16 nor of any language.
const ORDERED = [
  '\0',
  '\0\0',
  'A',
  'B',
  'a',
  'a\0',
  'a ',
  'aa',
  'ab',
  'a\u{d7ff}',
  'a\u{e000}',
  'a\u{ffff}',
].concat(['a\u{10000}', 'a😀', 'a\u{10ffff}', 'a\u{10ffff}\u{10ffff}', 'b', 'é', '\u{ffff}', '\u{10ffff}']);

async function fill(store: Store, keys: readonly string[]): Promise<void> {
  await store.put(keys.map((key) => item(key, key)).reverse(), CALL);
}

export function rangesContract(make: MakeHarness): void {
  describe('ranges', () => {
    it.each([1, 2, 3, 7, 19, 20, 21, 1_000])('are ordered by UTF-8 bytes, in pages of %d', async (limit) => {
      await using harness = await make();
      const store = await harness.open();
      await fill(store, ORDERED);
      expect((await readAll(store, '', limit)).map(({ key }) => key)).toEqual(ORDERED);
    });

    it('hold the keys with the prefix that come after the given one', async () => {
      await using harness = await make();
      const store = await harness.open();
      await fill(store, ORDERED);
      const prefixes = ['', 'a', 'a\0', 'a\u{10ffff}', '\u{10ffff}', 'é', 'nothing'];
      for (const prefix of prefixes) {
        const under = ORDERED.filter((key) => key.startsWith(prefix));
        expect(await store.count(prefix, CALL)).toBe(under.length);
        for (const after of [...ORDERED, '', 'a1', 'zz']) {
          const page = await store.range({ prefix, after, limit: 1_000 }, CALL);
          expect(page.map(({ key }) => key)).toEqual(under.filter((key) => compareKeys(key, after) > 0));
        }
      }
    });

    it('are bounded by their limit', async () => {
      await using harness = await make();
      const store = await harness.open();
      await fill(store, ORDERED);
      const page = await store.range({ prefix: 'a', after: 'aa', limit: 2 }, CALL);
      expect(page.map(({ key }) => key)).toEqual(['ab', 'a\u{d7ff}']);
    });

    it('miss no live item and show no expired one while others come and go', churn(make));
  });
}

const ROUNDS = 15;

/** Stable keys lie between ones that expire, are deleted, and are put again, all the time. */
function churn(make: MakeHarness): () => Promise<void> {
  return async () => {
    await using harness = await make();
    const [store, writer] = [
      await harness.open({ expiryIntervalMs: 10 }),
      await harness.open({ expiryIntervalMs: 15 }),
    ];
    const names = Array.from({ length: 30 }, (_, i) => `k${String(i).padStart(3, '0')}`);
    const stable = names.map((name) => `${name}/stable`);
    await fill(store, stable);
    const done = new AbortController();
    const churning = (async () => {
      for (let i = 0; !done.signal.aborted; i++) {
        const short = names.map((name, n) => ({ ...item(`${name}/short`), ttlMs: 1 + ((i * 7 + n) % 30) }));
        await writer.put([...short, ...names.map((name) => item(`${name}/deleted`))], CALL);
        await writer.delete(
          names.map((name) => ({ key: `${name}/deleted` })),
          CALL,
        );
      }
    })();
    try {
      for (let round = 0; round < ROUNDS; round++) await checkRound(store, stable);
    } finally {
      done.abort();
      await churning;
    }
  };
}

async function checkRound(store: Store, stable: readonly string[]): Promise<void> {
  const found: string[] = [];
  let after = '';
  for (;;) {
    const asked = Date.now();
    const page = await store.range({ prefix: 'k', after, limit: 10 }, CALL);
    // One millisecond for a store whose clock is another process's.
    expect(page.filter(({ expiresAt = Infinity }) => expiresAt + 1 < asked)).toEqual([]);
    found.push(...page.map(({ key }) => key));
    after = page.at(-1)?.key ?? after;
    if (page.length < 10) break;
  }
  expect(found).toEqual([...new Set(found)].sort(compareKeys));
  expect(found.filter((key) => key.endsWith('/stable'))).toEqual(stable);
}
