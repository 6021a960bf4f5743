import { afterAll, beforeAll } from '@jest/globals';
import type { Store } from '@tagplane/store';
import { CALL, storeContract } from '@tagplane/store/testing';
import type { StoreHarness } from '@tagplane/store/testing';
import { connectRedis } from './connection.ts';
import { createRedisStore } from './redis-store.ts';
import { startRedis } from './testing/index.ts';
import type { RedisServer } from './testing/index.ts';

const SILENCE_MS = 60_000;

let server: RedisServer;
let harnesses = 0;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

function makeHarness(): Promise<StoreHarness> {
  const kind = `test-${harnesses++}`;
  // Ten thousand calls at a time keep a slow machine's loop busy for seconds, in which no answer is read.
  const connection = connectRedis(server.url, { silenceMs: SILENCE_MS });
  const open = new Set<Store & AsyncDisposable>();
  const close = async (): Promise<void> => {
    for (const store of open) await store[Symbol.asyncDispose]();
    open.clear();
  };
  return Promise.resolve({
    async open(options) {
      const store = createRedisStore(connection, { kind, ...options });
      open.add(store);
      await store.ping(CALL);
      return store;
    },
    async empty() {
      await close();
      await connection.run({ ...CALL, timeoutMs: 5_000 }, (client) => client.flushall());
    },
    async [Symbol.asyncDispose]() {
      await close();
      await connection[Symbol.asyncDispose]();
    },
  });
}

storeContract('redis', makeHarness);
