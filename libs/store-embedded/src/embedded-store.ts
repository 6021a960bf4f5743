import {
  checkDeletes,
  checkGuard,
  checkKeys,
  checkKind,
  checkPrefix,
  checkPuts,
  checkRange,
  checkRevision,
  rangeBounds,
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
import { Engine } from './engine.ts';
import { feedEnd } from './feed.ts';
import type { Position } from './feed.ts';
import { isDue } from './ledger.ts';
import type { ItemRow } from './tables.ts';
import { watchFeed } from './watch.ts';

export interface EmbeddedStoreOptions extends StoreOptions {
  /** The file, made when it is not there; `:memory:` for a store that ends with this object. */
  readonly path: string;
  /** What the items are; several kinds may share a file. 1 to 32 of a-z, 0-9 and -. */
  readonly kind: string;
  /** Unix milliseconds. Default Date.now. */
  readonly now?: () => number;
  /** Called with a failure of the background sweep, which goes on. */
  readonly onError?: (error: Error) => void;
}

/**
 * Opens a store in one SQLite file, which several processes may share. What was written survives the
 * process's death at any moment; a power failure may lose the last writes, never the file.
 *
 * Throws an Error that names the path when the file cannot be opened or written, belongs to another
 * program or has a newer schema, and a RangeError on options out of bounds.
 */
export function openEmbeddedStore(options: EmbeddedStoreOptions): Store & AsyncDisposable {
  const { path, kind, now = () => Date.now(), onError = () => undefined } = options;
  checkKind(kind);
  return new EmbeddedStore(new Engine({ ...resolveStoreOptions(options), path, kind, now, onError }));
}

// SQLite orders every BLOB above every text: the bound of a range that has none.
const ABOVE_ALL = new Uint8Array();

class EmbeddedStore implements Store, AsyncDisposable {
  readonly type = 'embedded';
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async put(items: readonly Put[], { signal, guard }: WriteOptions): Promise<readonly WriteResult[]> {
    checkPuts(items);
    checkGuard(guard);
    return this.#engine.write(signal, items.length, (ledger) => {
      ledger.check(guard);
      return items.map((item) => ledger.put(item));
    });
  }

  async delete(items: readonly Delete[], { signal, guard }: WriteOptions): Promise<readonly WriteResult[]> {
    checkDeletes(items);
    checkGuard(guard);
    return this.#engine.write(signal, items.length, (ledger) => {
      ledger.check(guard);
      return items.map((item) => ledger.delete(item));
    });
  }

  async getMany(keys: readonly string[], { signal }: CallOptions): Promise<readonly Found[]> {
    checkKeys(keys);
    const find = (): readonly (Found | undefined)[] => keys.map((key) => this.#find(key));
    let found = await this.#engine.run(signal, find);
    const due = keys.filter((_, i) => found[i] === undefined);
    if (due.length > 0) {
      await this.#engine.expire(signal, due);
      found = await this.#engine.run(signal, find);
    }
    return found.map((item, i) => item ?? { state: 'absent', key: keys[i] ?? '' });
  }

  async range(range: Range, { signal }: CallOptions): Promise<readonly Entry[]> {
    checkRange(range);
    const { from, below } = rangeBounds(range);
    const { tables, now } = this.#engine;
    const rows = await this.#engine.run(signal, () =>
      tables.page.all(from, below ?? ABOVE_ALL, now(), range.limit),
    );
    return rows.map(toEntry);
  }

  async count(prefix: string, { signal }: CallOptions): Promise<number> {
    checkPrefix(prefix);
    const { from, below } = rangeBounds({ prefix });
    const { count } = this.#engine.tables;
    const row = await this.#engine.run(signal, () => count.get(from, below ?? ABOVE_ALL));
    return row?.count ?? 0;
  }

  async *watch({
    signal,
    after,
  }: CallOptions & { readonly after?: Position }): AsyncGenerator<FeedBatch, void> {
    if (after !== undefined) checkRevision(after.revision);
    yield* watchFeed(this.#engine, { signal, after });
  }

  async epoch({ signal }: CallOptions): Promise<string> {
    const { epoch } = await this.#engine.run(signal, () => feedEnd(this.#engine.tables));
    return epoch;
  }

  async ping(options: CallOptions): Promise<void> {
    await this.epoch(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#engine[Symbol.asyncDispose]();
  }

  /** Undefined: its time has come, and it is not yet marked as gone. */
  #find(key: string): Found | undefined {
    const { tables, now } = this.#engine;
    const item = tables.item.get(key);
    if (item !== undefined) return isDue(item, now()) ? undefined : { state: 'live', ...toEntry(item) };
    const gone = tables.gone.get(key);
    if (gone === undefined || gone.until <= now()) return { state: 'absent', key };
    return { state: 'gone', key, revision: gone.revision, reason: gone.reason };
  }
}

function toEntry({ key, value, revision, expires }: ItemRow): Entry {
  return { key, value, revision, expiresAt: expires ?? undefined };
}
