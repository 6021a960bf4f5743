import { GuardError } from '@tagplane/store';
import type { Delete, Expected, Guard, Put, WriteResult } from '@tagplane/store';
import type { FeedRow, ItemRow, Tables } from './tables.ts';

export interface LedgerOptions {
  readonly feedLength: number;
  readonly goneRetentionMs: number;
}

/**
 * The writes of one transaction: each takes the next revision and leaves its entry in the feed. Use
 * within BEGIN IMMEDIATE, and `close` before COMMIT.
 */
export class Ledger {
  readonly #tables: Tables;
  readonly #options: LedgerOptions;
  readonly #now: number;
  readonly #before: number;
  #last: number;

  /** @param now Unix milliseconds */
  constructor(tables: Tables, options: LedgerOptions, now: number) {
    this.#tables = tables;
    this.#options = options;
    this.#now = now;
    this.#before = tables.state.get()?.last ?? 0;
    this.#last = this.#before;
  }

  /** @throws GuardError when it does not hold */
  check(guard: Guard | undefined): void {
    if (guard === undefined) return;
    const live = this.#live(guard.key);
    const holds =
      'startsWith' in guard ? live?.value.startsWith(guard.startsWith) === true : live === undefined;
    if (!holds) throw new GuardError();
  }

  put({ key, value, ttlMs, expected }: Put): WriteResult {
    if (expected !== undefined) {
      const live = this.#live(key);
      if (!isExpected(live, expected)) return { written: false, actual: live?.revision };
    }
    const revision = this.#append('put', key);
    this.#tables.putItem.run(key, value, revision, ttlMs === undefined ? null : this.#now + ttlMs);
    this.#tables.dropGone.run(key);
    return { written: true, revision };
  }

  delete({ key, expected }: Delete): WriteResult {
    const live = this.#live(key);
    if (live === undefined || (expected !== undefined && !isExpected(live, expected))) {
      return { written: false, actual: live?.revision };
    }
    return { written: true, revision: this.#bury(key, 'deleted') };
  }

  /** Does nothing to an item that is not due: another process may have renewed or removed it. */
  expire(key: string): void {
    const item = this.#tables.item.get(key);
    if (item === undefined || !isDue(item, this.#now)) return;
    this.#bury(key, 'expired');
  }

  close(): void {
    if (this.#last > this.#before) this.#tables.setLast.run(this.#last);
  }

  #bury(key: string, reason: 'deleted' | 'expired'): number {
    const revision = this.#append(reason, key);
    this.#tables.dropItem.run(key);
    this.#tables.putGone.run(key, revision, reason, this.#now + this.#options.goneRetentionMs);
    return revision;
  }

  #append(type: FeedRow['type'], key: string): number {
    this.#last = nextRevision(this.#last, this.#now);
    this.#tables.append.run(this.#last, type, key);
    return this.#last;
  }

  #live(key: string): ItemRow | undefined {
    const item = this.#tables.item.get(key);
    return item === undefined || isDue(item, this.#now) ? undefined : item;
  }
}

function isExpected(live: ItemRow | undefined, expected: Expected): boolean {
  if ('endsWith' in expected) return live === undefined || live.value.endsWith(expected.endsWith);
  return live?.revision === ('revision' in expected ? expected.revision : undefined);
}

/**
 * A hybrid logical clock in microseconds: it rises even when the clock stands or goes back, and also
 * after the file was lost. Exact until the year 2255 (2^53 µs).
 */
export function nextRevision(last: number, now: number): number {
  return Math.max(last + 1, Math.floor(now * 1_000));
}

export function isDue(item: ItemRow, now: number): boolean {
  return item.expires !== null && item.expires <= now;
}

/** Keys of items whose time has come, the longest overdue first. */
export function dueKeys(tables: Tables, now: number, limit: number): readonly string[] {
  return tables.due.all(now, limit).map(({ key }) => key);
}
