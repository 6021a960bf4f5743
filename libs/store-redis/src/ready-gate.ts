import type { RedisClient } from './client.ts';

/** Calls that wait for a connection to come back; more than these fail at once. */
const MAX_WAITING = 1_000;

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Lets calls through while the client is connected, and keeps them until it is. */
export class ReadyGate {
  readonly #client: RedisClient;
  readonly #waiters = new Set<Waiter>();

  constructor(client: RedisClient) {
    this.#client = client;
    client.on('ready', () => {
      for (const waiter of this.#waiters) waiter.resolve();
      this.#waiters.clear();
    });
    client.on('end', () => {
      for (const waiter of this.#waiters) waiter.reject(new Error('the connection is closed'));
      this.#waiters.clear();
    });
  }

  /**
   * `ready` is undefined when the client is connected. Dispose of the result when the call is over, and
   * it no longer waits. Throws when too many wait, or the client has been closed.
   */
  enter(): Disposable & { readonly ready: Promise<void> | undefined } {
    if (this.#client.status === 'ready') return { ready: undefined, [Symbol.dispose]: () => undefined };
    if (this.#client.status === 'end') throw new Error('the connection is closed');
    if (this.#waiters.size >= MAX_WAITING) throw new Error('it is not connected, and many calls wait for it');
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiter: Waiter = {
      resolve() {
        resolve(undefined);
      },
      reject,
    };
    this.#waiters.add(waiter);
    return { ready: promise, [Symbol.dispose]: () => void this.#waiters.delete(waiter) };
  }
}
