import { StoreUnavailableError } from '@tagplane/store';
import { createClient } from './client.ts';
import type { RedisClient } from './client.ts';
import { parseRedisUrl } from './endpoint.ts';
import type { RedisEndpoint } from './endpoint.ts';
import { ReadyGate } from './ready-gate.ts';
import type { Script } from './scripts.ts';
import { within } from './within.ts';
import type { Limits } from './within.ts';

export interface RedisConnectionOptions {
  /** Called with each failure of the connection, which is tried again by itself. */
  readonly onError?: (error: Error) => void;
  /** A server that owes an answer this long is taken for dead, in milliseconds. Default 5,000. */
  readonly silenceMs?: number;
}

const DEFAULT_SILENCE_MS = 5_000;

/** A connection to Redis that several stores may share. Dispose of it after them. */
export class RedisConnection implements AsyncDisposable {
  readonly #endpoint: RedisEndpoint;
  readonly #options: Required<RedisConnectionOptions>;
  readonly #client: RedisClient;
  readonly #gate: ReadyGate;
  /** Hashes of scripts that the server has seen. */
  readonly #loaded = new Set<string>();

  /** Use connectRedis. */
  constructor(endpoint: RedisEndpoint, options: Required<RedisConnectionOptions>, reconnect = true) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#client = createClient(endpoint, { ...options, reconnect });
    this.#gate = new ReadyGate(this.#client);
  }

  /**
   * Another connection to the same place, for commands that block. It lives once: what breaks it, ends it.
   *
   * @param blockMs the longest that the server is asked to block
   */
  dedicate(blockMs: number): RedisConnection {
    const silenceMs = this.#options.silenceMs + blockMs;
    return new RedisConnection(this.#endpoint, { ...this.#options, silenceMs }, false);
  }

  /**
   * Runs commands. Rejects with the signal's reason, or with StoreUnavailableError when they fail or are
   * not answered in time; they may then have been executed all the same.
   */
  async run<T>(limits: Limits, commands: (client: RedisClient) => Promise<T>): Promise<T> {
    const { signal } = limits;
    signal.throwIfAborted();
    try {
      using turn = this.#gate.enter();
      const answer = turn.ready?.then(() => commands(this.#client)) ?? commands(this.#client);
      return await within(limits, answer);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreUnavailableError(`Redis does not answer: ${reason}`, { cause: error });
    }
  }

  /** Runs a script: by its text at first, then by its hash for as long as the server knows it. */
  runScript(
    limits: Limits,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.run(limits, async (client) => {
      if (this.#loaded.has(script.sha)) {
        try {
          return await client.evalsha(script.sha, keys.length, ...keys, ...args);
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
          this.#loaded.delete(script.sha);
        }
      }
      const answer = await client.eval(script.lua, keys.length, ...keys, ...args);
      this.#loaded.add(script.sha);
      return answer;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.disconnect();
    return Promise.resolve();
  }
}

/**
 * Connects to Redis 7 or newer: standalone, through Sentinel, or a Cluster. Returns at once; calls wait for
 * the connection within their deadlines. Throws a RangeError when the URL has no known form.
 */
export function connectRedis(
  target: string | RedisEndpoint,
  { onError = () => undefined, silenceMs = DEFAULT_SILENCE_MS }: RedisConnectionOptions = {},
): RedisConnection {
  const endpoint = typeof target === 'string' ? parseRedisUrl(target) : target;
  return new RedisConnection(endpoint, { onError, silenceMs });
}
