import { setTimeout as delay } from 'node:timers/promises';
import type { CallOptions, Entry, FeedBatch, Put, Store, StoreOptions, WriteResult } from '../store.ts';

/** One body of data, for one test. */
export interface StoreHarness extends AsyncDisposable {
  /** Another store on the same data, which answers; the harness closes what the test leaves open. */
  open(options?: StoreOptions): Promise<Store & AsyncDisposable>;
  /** Closes all stores and loses all data. */
  empty(): Promise<void>;
}

export type MakeHarness = () => Promise<StoreHarness>;

/** For calls that nobody aborts. */
export const CALL: CallOptions = { signal: new AbortController().signal };

/** Generous: a busy machine is slow, and only a failing test waits for it. */
const DEADLINE_MS = 60_000;

/** Jest's own limit of a test of this contract, above that of its waits. */
export const TEST_TIMEOUT_MS = 120_000;

type Answer<T> = Exclude<T, undefined | false>;

/** Asks again until the answer is neither undefined nor false; throws when it never comes. */
export async function eventually<T>(ask: () => Promise<T> | T, what: string): Promise<Answer<T>> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Answer<T>;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await delay(5);
  }
}

/** A put without expiry. */
export function item(key: string, value = 'v'): Put {
  return { key, value, ttlMs: undefined };
}

/** The revisions of results that were all written. */
export function revisionsOf(results: readonly WriteResult[]): readonly number[] {
  return results.map((result) => {
    if (!result.written) throw new Error('a write was refused');
    return result.revision;
  });
}

/** Puts one item and returns its revision. */
export async function putOne(store: Store, put: Put): Promise<number> {
  const [revision] = revisionsOf(await store.put([put], CALL));
  if (revision === undefined) throw new Error('no result');
  return revision;
}

/** All live entries under the prefix, page by page. */
export async function readAll(store: Store, prefix = '', limit = 1_000): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const after = entries.at(-1)?.key;
    const page = await store.range({ prefix, limit, ...(after !== undefined && { after }) }, CALL);
    entries.push(...page);
    if (page.length < limit) return entries;
  }
}

/** Takes the next batch of a watch. */
export async function nextBatch(watch: AsyncIterator<FeedBatch>): Promise<FeedBatch> {
  const late = new AbortController();
  const tooLate = delay(DEADLINE_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error('the feed gave no batch');
  });
  try {
    const result = await Promise.race([watch.next(), tooLate]);
    if (result.done === true) throw new Error('the feed ended');
    return result.value;
  } finally {
    late.abort();
    await tooLate.catch(() => undefined);
  }
}
