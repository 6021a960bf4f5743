import { randomUUID } from 'node:crypto';
import { sleep } from '@tagplane/runtime';
import { GuardError, StoreUnavailableError, rangeBounds } from '@tagplane/store';
import type { Guard, StoreOptions, WriteResult } from '@tagplane/store';
import type { RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';
import type { Keys } from './keys.ts';
import { condition } from './record.ts';
import { DELETE, DUE, EXPIRE, POSITION, PUT } from './scripts.ts';
import type { Script } from './scripts.ts';
import type { Limits } from './within.ts';

export interface Position {
  readonly revision: number;
  readonly epoch: string;
}

/** Where the feed ends, and whether it still holds the position that was asked for. */
export interface FeedState extends Position {
  readonly held: boolean;
}

export interface BackendOptions extends Required<StoreOptions> {
  readonly onError: (error: Error) => void;
}

export interface Write {
  readonly signal: AbortSignal;
  readonly guard: Guard | undefined;
}

/** Items expired by one script: some 2 ms of the server's time. */
const SWEEP_ITEMS = 500;

/** The commands of one kind, and its expiry. */
export class Backend implements AsyncDisposable {
  readonly keys: Keys;
  readonly connection: RedisConnection;
  readonly #options: BackendOptions;
  readonly #closed = new AbortController();
  readonly #sweeping: Promise<void>;

  constructor(connection: RedisConnection, keys: Keys, options: BackendOptions) {
    this.connection = connection;
    this.keys = keys;
    this.#options = options;
    this.#sweeping = this.#sweep();
  }

  /** Aborts when the store is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  limits(signal: AbortSignal): Limits {
    return { signal, timeoutMs: this.#options.commandTimeoutMs };
  }

  async run<T>(signal: AbortSignal, commands: (client: RedisClient) => Promise<T>): Promise<T> {
    this.#checkOpen();
    return this.connection.run(this.limits(signal), commands);
  }

  /** @param args value, TTL and expectation of each key */
  put(write: Write, keys: readonly string[], args: readonly (string | number)[]): Promise<WriteResult[]> {
    return this.#write(write, PUT, keys, args);
  }

  /** @param args the expectation of each key */
  delete(write: Write, keys: readonly string[], args: readonly string[]): Promise<WriteResult[]> {
    return this.#write(write, DELETE, keys, [this.#options.goneRetentionMs, ...args]);
  }

  /** Turns those of the items whose time has come into tombstones. */
  async expire(signal: AbortSignal, keys: readonly string[]): Promise<void> {
    await this.#items(signal, EXPIRE, keys, [this.#options.goneRetentionMs]);
  }

  /** The texts of value keys. */
  async values(signal: AbortSignal, keys: readonly string[]): Promise<readonly (string | null)[]> {
    if (keys.length === 0) return [];
    const names = this.#names(keys);
    return this.run(signal, (client) => client.mget(names));
  }

  /** Keys from the index; some may not be live any more. */
  async page(signal: AbortSignal, range: KeyRange, limit: number): Promise<readonly string[]> {
    const [from, below] = lexBounds(range);
    return this.run(signal, (client) =>
      client.zrange(this.keys.index, from, below, 'BYLEX', 'LIMIT', 0, limit),
    );
  }

  async count(signal: AbortSignal, prefix: string): Promise<number> {
    const [from, below] = lexBounds({ prefix });
    return this.run(signal, (client) => client.zlexcount(this.keys.index, from, below));
  }

  /** Not by PING: in a Cluster it must be the node that has this kind. */
  async ping(signal: AbortSignal): Promise<void> {
    await this.run(signal, (client) => client.exists(this.keys.epoch));
  }

  /** Makes an epoch when there is none. */
  async position(signal: AbortSignal, after: Position | undefined): Promise<FeedState> {
    const args = [after?.revision ?? '', after?.epoch ?? ''];
    const reply = await this.#script(signal, POSITION, [], args);
    const [epoch, revision, held] = reply as [string, number, number];
    return { epoch, revision, held: held === 1 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new StoreUnavailableError('the store is closed'));
    await this.#sweeping;
  }

  async #write(
    { signal, guard }: Write,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<WriteResult[]> {
    const guarded = guard === undefined ? keys : [...keys, guard.key];
    const wanted = guard === undefined ? '' : condition(guard);
    const replies = (await this.#items(signal, script, guarded, [wanted, ...args])) as number[] | null;
    if (replies === null) throw new GuardError();
    return replies.map((reply) =>
      reply > 0
        ? { written: true, revision: reply }
        : { written: false, actual: reply === 0 ? undefined : -reply },
    );
  }

  #items(
    signal: AbortSignal,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const { index, expiry, values } = this.keys;
    return this.#script(
      signal,
      script,
      [index, expiry, ...this.#names(keys)],
      [Buffer.byteLength(values), ...args],
    );
  }

  #script(
    signal: AbortSignal,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    this.#checkOpen();
    const { last, epoch, feed } = this.keys;
    return this.connection.runScript(
      this.limits(signal),
      script,
      [last, epoch, feed, ...keys],
      [randomUUID(), this.#options.feedLength, ...args],
    );
  }

  #names(keys: readonly string[]): string[] {
    return keys.map((key) => this.keys.values + key);
  }

  #checkOpen(): void {
    if (this.closed.aborted) throw new StoreUnavailableError('the store is closed');
  }

  // Any number of processes may sweep: the script reports each item once. It also notices that the server
  // was emptied, and makes the new epoch.
  async #sweep(): Promise<void> {
    const { onError, expiryIntervalMs } = this.#options;
    for (;;) {
      try {
        const due = (await this.#script(this.closed, DUE, [this.keys.expiry], [SWEEP_ITEMS])) as string[];
        if (due.length > 0) await this.expire(this.closed, due);
        if (due.length < SWEEP_ITEMS) await sleep(expiryIntervalMs, this.closed);
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        onError(error instanceof Error ? error : new Error(String(error)));
        await sleep(expiryIntervalMs, this.closed).catch(() => undefined);
      }
    }
  }
}

export interface KeyRange {
  readonly prefix: string;
  readonly after?: string;
}

/** The bounds as the BYLEX commands take them. */
function lexBounds(range: KeyRange): [from: string, below: string] {
  const { from, below } = rangeBounds(range);
  return [`[${from}`, below === undefined ? '+' : `(${below}`];
}
