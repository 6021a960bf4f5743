import {
  checkDeletes,
  checkGuard,
  checkKeys,
  checkPrefix,
  checkPuts,
  checkRange,
  checkRevision,
  resolveStoreOptions,
} from '@tagplane/store';
import type {
  CallOptions,
  Delete,
  Entry,
  FeedBatch,
  Found,
  Put,
  Range,
  Store,
  StoreOptions,
  WriteOptions,
  WriteResult,
} from '@tagplane/store';
import { Backend } from './backend.ts';
import type { Position } from './backend.ts';
import type { RedisConnection } from './connection.ts';
import { keysOf } from './keys.ts';
import { expectation, parseEntry, parseRecord } from './record.ts';
import { watchFeed } from './watch.ts';

export interface RedisStoreOptions extends StoreOptions {
  /** What the items are: each kind has keys of its own. 1 to 32 of a-z, 0-9 and -. */
  readonly kind: string;
  /** Called with a failure of the background sweep, which goes on. */
  readonly onError?: (error: Error) => void;
}

/**
 * A store of one kind, over a connection that it may share with others and does not close. Any number of
 * processes may use the same kind. Throws a RangeError on options out of bounds.
 */
export function createRedisStore(
  connection: RedisConnection,
  options: RedisStoreOptions,
): Store & AsyncDisposable {
  const { kind, onError = () => undefined } = options;
  const backend = new Backend(connection, keysOf(kind), { ...resolveStoreOptions(options), onError });
  return new RedisStore(backend);
}

/** Characters of values in one script call: a larger put is several, so that none holds the server long. */
const CHUNK_LENGTH = 4 * 1_024 * 1_024;

class RedisStore implements Store, AsyncDisposable {
  readonly type = 'redis';
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async put(items: readonly Put[], { signal, guard }: WriteOptions): Promise<readonly WriteResult[]> {
    checkPuts(items);
    checkGuard(guard);
    signal.throwIfAborted();
    const results: WriteResult[] = [];
    for (const chunk of chunksOf(items)) {
      const keys = chunk.map(({ key }) => key);
      const args = chunk.flatMap(({ value, ttlMs, expected }) => [value, ttlMs ?? '', expectation(expected)]);
      results.push(...(await this.#backend.put({ signal, guard }, keys, args)));
    }
    return results;
  }

  async delete(items: readonly Delete[], { signal, guard }: WriteOptions): Promise<readonly WriteResult[]> {
    checkDeletes(items);
    checkGuard(guard);
    const keys = items.map(({ key }) => key);
    const args = items.map(({ expected }) => expectation(expected));
    return this.#backend.delete({ signal, guard }, keys, args);
  }

  async getMany(keys: readonly string[], { signal }: CallOptions): Promise<readonly Found[]> {
    checkKeys(keys);
    signal.throwIfAborted();
    const found = await this.#find(signal, keys);
    const missing = found.filter(({ state }) => state === 'absent').map(({ key }) => key);
    if (missing.length === 0) return found;
    // Redis may have dropped a value just now, before any sweep left a tombstone.
    await this.#backend.expire(signal, missing);
    const again = (await this.#find(signal, missing)).values();
    return found.map((item) => (item.state === 'absent' ? (again.next().value ?? item) : item));
  }

  async range(range: Range, { signal }: CallOptions): Promise<readonly Entry[]> {
    checkRange(range);
    const entries: Entry[] = [];
    let from: Omit<Range, 'limit'> = range;
    for (;;) {
      const wanted = range.limit - entries.length;
      const keys = await this.#backend.page(signal, from, wanted);
      const texts = await this.#backend.values(signal, keys);
      for (const [i, key] of keys.entries()) {
        // Some may have expired or been deleted since the index was read.
        const entry = parseEntry(key, texts[i] ?? null);
        if (entry !== undefined) entries.push(entry);
      }
      const last = keys.at(-1);
      if (last === undefined || keys.length < wanted || entries.length === range.limit) return entries;
      from = { prefix: range.prefix, after: last };
    }
  }

  async count(prefix: string, { signal }: CallOptions): Promise<number> {
    checkPrefix(prefix);
    return this.#backend.count(signal, prefix);
  }

  async *watch({
    signal,
    after,
  }: CallOptions & { readonly after?: Position }): AsyncGenerator<FeedBatch, void> {
    if (after !== undefined) checkRevision(after.revision);
    yield* watchFeed(this.#backend, signal, after);
  }

  async epoch({ signal }: CallOptions): Promise<string> {
    const { epoch } = await this.#backend.position(signal, undefined);
    return epoch;
  }

  async ping({ signal }: CallOptions): Promise<void> {
    await this.#backend.ping(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#backend[Symbol.asyncDispose]();
  }

  async #find(signal: AbortSignal, keys: readonly string[]): Promise<readonly Found[]> {
    const texts = await this.#backend.values(signal, keys);
    return keys.map((key, i) => parseRecord(key, texts[i] ?? null));
  }
}

/** Cuts where the values together grow too long. */
function* chunksOf(items: readonly Put[]): Generator<readonly Put[]> {
  let start = 0;
  let length = 0;
  for (const [i, { value }] of items.entries()) {
    if (length > 0 && length + value.length > CHUNK_LENGTH) {
      yield items.slice(start, i);
      start = i;
      length = 0;
    }
    length += value.length;
  }
  // None at all is a call too: it may have a guard.
  if (start < items.length || items.length === 0) yield items.slice(start);
}
