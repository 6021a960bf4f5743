import { realpathSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { sleep } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { StoreOptions } from '@tagplane/store';
import { whenFree } from './busy.ts';
import { MEMORY, openDatabase } from './database.ts';
import { Ledger, dueKeys, nextRevision } from './ledger.ts';
import { shareNotifier } from './notifier.ts';
import type { Notifier } from './notifier.ts';
import { openTables } from './tables.ts';
import type { Tables } from './tables.ts';

export interface EngineOptions extends Required<StoreOptions> {
  readonly path: string;
  readonly kind: string;
  readonly now: () => number;
  readonly onError: (error: Error) => void;
}

/** Items expired in one transaction: keeps it at some 10 ms. */
const SWEEP_ITEMS = 500;
/** The feed is trimmed after this share of its length: finding the cut steps over the whole feed. */
const TRIM_SHARE = 0.1;

/** One kind's tables with their transactions, their expiry and their end. */
export class Engine implements AsyncDisposable {
  readonly tables: Tables;
  readonly notifier: Notifier & Disposable;
  readonly now: () => number;
  readonly #db: DatabaseSync;
  readonly #options: EngineOptions;
  readonly #closed = new AbortController();
  readonly #sweeping: Promise<void>;
  #untrimmed = Infinity;

  constructor(options: EngineOptions) {
    const { path, kind, now } = options;
    this.#options = options;
    this.now = now;
    const { db, prepared } = openDatabase(path, (file) => openTables(file, kind, nextRevision(0, now())));
    this.#db = db;
    this.tables = prepared;
    this.notifier = shareNotifier(path === MEMORY ? path : realpathSync(path), kind);
    this.#sweeping = this.#sweep();
  }

  /** Aborts when the engine is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Runs one synchronous piece of work, again while another process holds the lock. */
  run<T>(signal: AbortSignal, work: () => T): Promise<T> {
    if (this.closed.aborted) return Promise.reject(new StoreUnavailableError('the store is closed'));
    return whenFree(work, { signal, timeoutMs: this.#options.commandTimeoutMs });
  }

  /** Runs writes in one transaction; `items` is about how many there are. */
  async write<T>(signal: AbortSignal, items: number, work: (ledger: Ledger) => T): Promise<T> {
    const result = await this.run(signal, () => this.#transact(items, work));
    this.notifier.notify();
    return result;
  }

  /** Turns those of the items whose time has come into tombstones. */
  async expire(signal: AbortSignal, keys: readonly string[]): Promise<void> {
    await this.write(signal, keys.length, (ledger) => {
      for (const key of keys) ledger.expire(key);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed.aborted) return;
    this.#closed.abort(new StoreUnavailableError('the store is closed'));
    await this.#sweeping;
    this.notifier[Symbol.dispose]();
    this.#db.close();
  }

  #transact<T>(items: number, work: (ledger: Ledger) => T): T {
    const { begin, commit, rollback, trim } = this.tables;
    begin.run();
    try {
      const ledger = new Ledger(this.tables, this.#options, this.now());
      const result = work(ledger);
      ledger.close();
      this.#untrimmed += items;
      if (this.#untrimmed >= this.#options.feedLength * TRIM_SHARE) {
        trim.run(this.#options.feedLength);
        this.#untrimmed = 0;
      }
      commit.run();
      return result;
    } catch (error) {
      // SQLite has already rolled back after some errors, such as a full disk.
      if (this.#db.isTransaction) rollback.run();
      throw error;
    }
  }

  async #sweep(): Promise<void> {
    const { onError, expiryIntervalMs } = this.#options;
    for (;;) {
      try {
        const keys = await this.run(this.closed, () => dueKeys(this.tables, this.now(), SWEEP_ITEMS));
        if (keys.length > 0) await this.expire(this.closed, keys);
        await this.run(this.closed, () => this.tables.forgetGone.run(this.now()));
        await sleep(keys.length < SWEEP_ITEMS ? expiryIntervalMs : 0, this.closed);
      } catch (error) {
        if (this.closed.aborted) return;
        onError(error as Error);
        await sleep(expiryIntervalMs, this.closed).catch(() => undefined);
      }
    }
  }
}
