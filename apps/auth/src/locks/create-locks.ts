import type { CertificateIdentity } from '@tagplane/identity';
import { MINUTE, sleep, runTasks } from '@tagplane/runtime';
import type { Logger, Registry } from '@tagplane/runtime';
import { followFeed } from '@tagplane/store';
import type { Change, Entry, Store } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import { LOCK_PREFIX, decodeLock, encodeLock, lockId, lockReason } from './lock.ts';
import type { Lock, LockDraft } from './lock.ts';
import { LockTable } from './lock-table.ts';
import type { Locks } from './locks.ts';
import { createLockMetrics } from './metrics.ts';

export interface LocksOptions {
  /** Of what decides who may do what. */
  readonly store: Store;
  readonly audit: Audit;
  readonly log: Logger;
  readonly registry: Registry;
  /** Unix milliseconds; default Date.now. */
  readonly now?: () => number;
}

/** Told of locks that have come into force or were made anew, and of those there are at the start. */
export type LockListener = (locks: readonly Lock[]) => void;

export interface LockRegistry extends Locks {
  /** Follows the store until the signal aborts. What is known stays in force while the store is away. */
  run(signal: AbortSignal): Promise<void>;
  /** The lock that locks this identity. */
  lockOf(identity: Pick<CertificateIdentity, 'id' | 'peer'>): Lock | undefined;
  /** The listener must not throw. */
  onLock(listener: LockListener): Disposable;
  /** Connections that were cut, for whoever cuts them. */
  countCut(): void;
  /**
   * Locks a target, at once in this process. Rejects as the store does.
   *
   * @returns undefined when there are too many locks
   */
  add(draft: LockDraft, signal: AbortSignal): Promise<Lock | undefined>;
  /** @returns whether there was one */
  remove(id: string, signal: AbortSignal): Promise<boolean>;
  /** Those in the store, in order of their ids. */
  list(signal: AbortSignal): Promise<readonly Lock[]>;
}

/** All of them, with their texts, are one answer of at most 4 MiB. */
const MAX_LOCKS = 10_000;
const MAX_TEXT_BYTES = 2 * 1_024 * 1_024;
const PAGE = 1_000;

export function createLocks(options: LocksOptions): LockRegistry {
  return new StoredLocks(options);
}

class StoredLocks implements LockRegistry {
  readonly #options: LocksOptions;
  readonly #now: () => number;
  readonly #table = new LockTable();
  readonly #listeners = new Set<LockListener>();
  readonly #metrics;
  #epoch: string | undefined;

  constructor(options: LocksOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#metrics = createLockMetrics(options.registry, () => this.#table.size);
  }

  get loaded(): boolean {
    return this.#epoch !== undefined;
  }

  lockOf(identity: Pick<CertificateIdentity, 'id' | 'peer'>): Lock | undefined {
    return this.#table.find(identity, this.#now());
  }

  lockedReason(identity: Pick<CertificateIdentity, 'id' | 'peer'>): string | undefined {
    const lock = this.lockOf(identity);
    return lock && lockReason(lock);
  }

  onLock(listener: LockListener): Disposable {
    this.#listeners.add(listener);
    const known = this.#table.values();
    if (known.length > 0) listener(known);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  countCut(): void {
    this.#metrics.cuts.inc();
  }

  async run(signal: AbortSignal): Promise<void> {
    await runTasks(signal, {
      feed: (stop) => this.#follow(stop),
      sweep: async (stop) => {
        for (;;) {
          await sleep(MINUTE, stop);
          this.#table.sweep(this.#now());
        }
      },
    });
  }

  async add(draft: LockDraft, signal: AbortSignal): Promise<Lock | undefined> {
    const now = this.#now();
    const { target, message, createdBy, ttlMs } = draft;
    const expiresAt = ttlMs === undefined ? undefined : now + ttlMs;
    const lock: Lock = { id: lockId(target), target, message, createdBy, createdAt: now, expiresAt };
    const others = this.#table.values().filter(({ id }) => id !== lock.id);
    if (others.length >= MAX_LOCKS || textBytes([...others, lock]) > MAX_TEXT_BYTES) return undefined;
    const put = { key: LOCK_PREFIX + lock.id, value: encodeLock(lock), ttlMs };
    await this.#options.store.put([put], { signal });
    this.#take([lock]);
    return lock;
  }

  async remove(id: string, signal: AbortSignal): Promise<boolean> {
    const [result] = await this.#options.store.delete([{ key: LOCK_PREFIX + id }], { signal });
    this.#table.delete(id);
    return result?.written === true;
  }

  async list(signal: AbortSignal): Promise<readonly Lock[]> {
    const entries = await this.#range(signal);
    return entries.map((entry) => decodeLock(entry)).filter((lock) => lock !== undefined);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    await followFeed(
      this.#options.store,
      {
        reset: (position) => this.#onReset(position.epoch, signal),
        changes: (changes) => this.#onChanges(changes, signal),
        unavailable: () => {
          this.#metrics.feedFailures.inc();
        },
      },
      { signal },
    );
  }

  /** A store that has lost its locks gets back those that are known here: nobody has ended them. */
  async #onReset(epoch: string, signal: AbortSignal): Promise<void> {
    const found = new Map<string, Lock>();
    for (const lock of await this.list(signal)) found.set(lock.id, lock);
    const missing = this.#table.values().filter(({ id }) => !found.has(id));
    if (this.#epoch !== undefined && this.#epoch !== epoch) await this.#restore(missing, signal);
    else for (const { id } of missing) this.#table.delete(id);
    this.#take([...found.values()]);
    this.#epoch = epoch;
  }

  async #restore(locks: readonly Lock[], signal: AbortSignal): Promise<void> {
    const now = this.#now();
    const lasting = locks.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
    for (let start = 0; start < lasting.length; start += PAGE) {
      const puts = lasting.slice(start, start + PAGE).map((lock) => ({
        key: LOCK_PREFIX + lock.id,
        value: encodeLock(lock),
        ttlMs: lock.expiresAt === undefined ? undefined : Math.max(1, Math.round(lock.expiresAt - now)),
        expected: { live: false } as const,
      }));
      const results = await this.#options.store.put(puts, { signal });
      for (const [index, result] of results.entries()) {
        const lock = lasting[start + index];
        if (!result.written || lock === undefined) continue;
        this.#options.log.warn({ event: 'lock_restored', lock: lock.id });
        this.#options.audit.record({
          code: 'lock.added',
          result: 'ok',
          reason: 'the store had lost it',
          subjects: [lock.id],
        });
      }
    }
  }

  async #onChanges(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const latest = new Map<string, Change>();
    for (const change of changes) if (change.key.startsWith(LOCK_PREFIX)) latest.set(change.key, change);
    const written: string[] = [];
    const locks: Lock[] = [];
    for (const { type, key } of latest.values()) {
      if (type === 'put') written.push(key);
      else this.#table.delete(key.slice(LOCK_PREFIX.length));
    }
    for (let start = 0; start < written.length; start += PAGE) {
      const found = await this.#options.store.getMany(written.slice(start, start + PAGE), { signal });
      for (const item of found) {
        const lock = item.state === 'live' ? decodeLock(item) : undefined;
        if (lock === undefined) this.#table.delete(item.key.slice(LOCK_PREFIX.length));
        else locks.push(lock);
      }
    }
    this.#take(locks);
  }

  #take(locks: readonly Lock[]): void {
    const fresh = locks.filter(({ id, createdAt }) => this.#table.get(id)?.createdAt !== createdAt);
    for (const lock of locks) this.#table.set(lock);
    if (fresh.length > 0) for (const listener of this.#listeners) listener(fresh);
  }

  async #range(signal: AbortSignal): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (;;) {
      const after = entries.at(-1)?.key;
      const range = { prefix: LOCK_PREFIX, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const page = await this.#options.store.range(range, { signal });
      entries.push(...page);
      if (page.length < PAGE) return entries;
    }
  }
}

/** Each id is in an answer twice: as itself and as the target. */
function textBytes(locks: readonly Lock[]): number {
  return locks.reduce(
    (sum, { id, message, createdBy }) =>
      sum + 2 * id.length + Buffer.byteLength(message) + Buffer.byteLength(createdBy),
    0,
  );
}
