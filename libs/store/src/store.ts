/** A live item. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Set by the store on every write: rises across all keys, also over a restart or a loss of data. */
  readonly revision: number;
  /** Unix milliseconds by the store's clock; undefined: never. */
  readonly expiresAt: number | undefined;
}

/**
 * What the store knows of a key. `gone` is its word that the item was deleted or ran out, kept for a
 * while (see `StoreOptions.goneRetentionMs`); `absent` only means that it knows nothing: it may never
 * have been there, or the store may have lost it. Labels are taken away on `gone`, never on `absent`.
 */
export type Found =
  | ({ readonly state: 'live' } & Entry)
  | {
      readonly state: 'gone';
      readonly key: string;
      readonly revision: number;
      readonly reason: 'deleted' | 'expired';
    }
  | { readonly state: 'absent'; readonly key: string };

/**
 * Write only if the key is as expected: not live; live at just this revision; or, with `endsWith`, not live
 * or live with a value that ends with this text.
 */
export type Expected =
  { readonly live: false } | { readonly revision: number } | { readonly endsWith: string };

/**
 * A condition on another key of the same store, for a whole call: that it is not live, or live with a value
 * that begins with this text. It is looked at together with the write: nothing comes in between.
 */
export type Guard = { readonly key: string } & ({ readonly live: false } | { readonly startsWith: string });

export interface Put {
  readonly key: string;
  readonly value: string;
  /** Whole milliseconds, greater than zero; undefined: never expires. */
  readonly ttlMs: number | undefined;
  readonly expected?: Expected;
}

export interface Delete {
  readonly key: string;
  readonly expected?: Exclude<Expected, { readonly live: false }>;
}

/**
 * `written: false`: the expectation did not hold (put and delete), or nothing live was there (delete);
 * `actual` is the revision that is live there, or undefined.
 */
export type WriteResult =
  | { readonly written: true; readonly revision: number }
  | { readonly written: false; readonly actual: number | undefined };

export interface Range {
  /** Only keys that start with this; empty for all. */
  readonly prefix: string;
  /** Only keys greater than this one (UTF-8 byte order). */
  readonly after?: string;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** One step of the change feed. Revisions rise strictly. */
export type Change =
  | { readonly type: 'put'; readonly key: string; readonly revision: number }
  | { readonly type: 'deleted'; readonly key: string; readonly revision: number }
  | { readonly type: 'expired'; readonly key: string; readonly revision: number };

/**
 * `reset`: the feed starts here (first batch of a watch without `after`), or it no longer reaches back
 * to where the reader was, or the store's epoch changed. The reader must range over everything it
 * cares for; changes after `revision` follow.
 */
export type FeedBatch =
  | { readonly type: 'reset'; readonly revision: number; readonly epoch: string }
  | { readonly type: 'changes'; readonly changes: readonly Change[] };

export interface CallOptions {
  readonly signal: AbortSignal;
}

export interface WriteOptions extends CallOptions {
  /** When it does not hold, the call rejects with GuardError, and writes nothing from there on. */
  readonly guard?: Guard;
}

/**
 * An ordered key space with time to live, of one kind of resource. Keys are non-empty well-formed
 * text of at most 1,024 UTF-8 bytes; values are text of at most 1 MiB. Every method rejects with the
 * signal's reason once it is aborted, with `StoreUnavailableError` when the store cannot be reached
 * within its deadline, and with `RangeError` on arguments out of bounds.
 */
export interface Store {
  readonly type: 'redis' | 'embedded';
  /** At most 1,000 items, written in order, each atomically with its index, its feed entry and the guard. */
  put(items: readonly Put[], options: WriteOptions): Promise<readonly WriteResult[]>;
  /** At most 1,000 keys; answers in their order. */
  getMany(keys: readonly string[], options: CallOptions): Promise<readonly Found[]>;
  /** Live items in key order. Fewer than `limit` means that the range has ended. */
  range(range: Range, options: CallOptions): Promise<readonly Entry[]>;
  /** Items under a prefix; may count some that just expired. */
  count(prefix: string, options: CallOptions): Promise<number>;
  /** At most 1,000 keys; a deleted key is `gone` afterwards. */
  delete(items: readonly Delete[], options: WriteOptions): Promise<readonly WriteResult[]>;
  /**
   * Follows the feed from after the given revision. Ends only by the signal (then it returns, without
   * an error) or by StoreUnavailableError; the caller watches again from its last revision.
   */
  watch(
    options: CallOptions & { readonly after?: { revision: number; epoch: string } },
  ): AsyncIterable<FeedBatch>;
  /** Names this store's life; a store that is found empty makes a new one. */
  epoch(options: CallOptions): Promise<string>;
  /** Resolves when the store answers. */
  ping(options: CallOptions): Promise<void>;
}

export interface StoreOptions {
  /** Changes kept for readers of the feed that fell behind; older ones are trimmed. Default 200,000. */
  readonly feedLength?: number;
  /**
   * How long a deleted or expired key answers `gone`. Default 24 h: longer than the longest TTL that
   * discovery sets (90 min), so that an agent which was away still learns of it.
   */
  readonly goneRetentionMs?: number;
  /** How often expired items are looked for and reported to the feed, in milliseconds. Default 1,000. */
  readonly expiryIntervalMs?: number;
  /** Deadline of one command. Default 5,000 ms. */
  readonly commandTimeoutMs?: number;
}

export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** A write whose guard did not hold. */
export class GuardError extends Error {
  override readonly name = 'GuardError';

  constructor() {
    super('the condition of the write does not hold');
  }
}
