import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { CALL, eventually, item, putOne, readAll, readFeed } from '@tagplane/store/testing';
import type { FeedPosition } from '@tagplane/store/testing';
import { connectRedis } from './connection.ts';
import type { RedisConnection } from './connection.ts';
import { createRedisStore } from './redis-store.ts';
import { startRedis } from './testing/index.ts';
import type { RedisServer } from './testing/index.ts';

jest.setTimeout(60_000);

const errors: Error[] = [];
let ending: AbortController;
let server: RedisServer;
let connection: RedisConnection;
let store: Store & AsyncDisposable;

async function begin(options: { readonly appendonly: boolean }): Promise<void> {
  server = await startRedis(options);
  connection = connectRedis(server.url, { onError: (error) => errors.push(error), silenceMs: 500 });
  store = createRedisStore(connection, { kind: 'test', expiryIntervalMs: 20, commandTimeoutMs: 1_000 });
  await store.ping(CALL);
}

beforeEach(() => {
  errors.length = 0;
  ending = new AbortController();
});

afterEach(async () => {
  ending.abort();
  await store[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await server.stop();
});

/** Does it again while the store cannot be reached; any other failure is one of the test. */
async function untilReached<T>(call: () => Promise<T>): Promise<T> {
  const done = await eventually(async () => {
    try {
      return { value: await call() };
    } catch (error) {
      if (error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }, 'Redis is back');
  return done.value;
}

/** Follows the feed as a service does: it watches again from where it was. Ends with the test. */
function follow(): {
  seen: number[];
  resets: FeedPosition[];
  cuts: number;
  done: Promise<void>;
} {
  const follower = { seen: [] as number[], resets: [] as FeedPosition[], cuts: 0, done: Promise.resolve() };
  let after: FeedPosition | undefined;
  const watch = async (): Promise<void> => {
    for await (const batch of store.watch({ signal: ending.signal, ...(after !== undefined && { after }) })) {
      if (batch.type === 'reset') {
        follower.resets.push(batch);
        after = batch;
      } else {
        follower.seen.push(...batch.changes.map(({ revision }) => revision));
        after = { epoch: after?.epoch ?? '', revision: follower.seen.at(-1) ?? 0 };
      }
    }
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        await watch();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        follower.cuts++;
        await delay(10);
      }
    }
  };
  follower.done = run();
  return follower;
}

describe('a Redis that is killed and restarted in the middle of writes and a watch', () => {
  it('loses nothing that was acknowledged when it syncs every write', async () => {
    await begin({ appendonly: true });
    const follower = follow();
    await eventually(() => follower.resets.length > 0, 'the watch began');
    const acknowledged = new Map<string, number>();
    let failed = 0;
    const enough = new AbortController();
    const writing = AbortSignal.any([enough.signal, ending.signal]);
    const writers = Array.from({ length: 4 }, async (_, w) => {
      for (let i = 0; !writing.aborted; i++) {
        const key = `w${w}/${i}`;
        try {
          acknowledged.set(key, await putOne(store, item(key, key)));
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailableError);
          failed++;
          await delay(1);
        }
      }
    });
    for (let kills = 1; kills <= 2; kills++) {
      const goal = acknowledged.size + 50;
      await eventually(() => acknowledged.size > goal, 'writes succeed');
      await server.kill();
      await eventually(() => failed >= kills && follower.cuts >= kills, 'calls fail');
      await server.restart();
    }
    const goal = acknowledged.size + 50;
    await eventually(() => acknowledged.size > goal, 'writes succeed again');
    enough.abort();
    await Promise.all(writers);
    const entries = new Map(
      (await untilReached(() => readAll(store))).map(({ key, revision }) => [key, revision]),
    );
    for (const [key, revision] of acknowledged) expect(entries.get(key)).toBe(revision);
    const last = Math.max(...acknowledged.values());
    await eventually(() => (follower.seen.at(-1) ?? 0) >= last, 'the feed has told everything');
    ending.abort();
    await follower.done;
    expect(follower.resets).toHaveLength(1);
    expect(follower.seen).toEqual([...new Set(follower.seen)].sort((a, b) => a - b));
    const seen = new Set(follower.seen);
    expect([...acknowledged.values()].filter((revision) => !seen.has(revision))).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('says so by a new epoch when it kept nothing', async () => {
    await begin({ appendonly: false });
    const follower = follow();
    const before = await putOne(store, item('k'));
    await eventually(() => follower.seen.includes(before), 'the feed tells of the write');
    await server.restart();
    await eventually(() => follower.cuts > 0 && follower.resets.length > 1, 'a reset');
    const [first, second] = follower.resets;
    expect(second?.epoch).not.toBe(first?.epoch);
    const after = await untilReached(() => putOne(store, item('k')));
    expect(after).toBeGreaterThan(before);
    await eventually(() => follower.seen.includes(after), 'the feed goes on');
    ending.abort();
    await follower.done;
  });
});

describe('a Redis that is emptied while it runs', () => {
  it('resets its watchers, though nobody writes', async () => {
    await begin({ appendonly: false });
    await putOne(store, item('k'));
    await using reader = await readFeed(store);
    await connection.run({ ...CALL, timeoutMs: 5_000 }, (client) => client.flushall());
    await reader.until(({ batches }) => batches.length === 2, 'a second reset');
    const [first, second] = reader.batches;
    expect(second).toMatchObject({ type: 'reset', epoch: await store.epoch(CALL) });
    expect(second).not.toMatchObject({ epoch: first?.type === 'reset' ? first.epoch : '' });
  });

  it('forgets the scripts, and gets them again', async () => {
    await begin({ appendonly: false });
    await putOne(store, item('k'));
    await connection.run({ ...CALL, timeoutMs: 5_000 }, (client) => client.script('FLUSH'));
    await putOne(store, item('k', 'new'));
    expect(await readAll(store)).toMatchObject([{ value: 'new' }]);
  });
});

describe('a Redis that does not answer', () => {
  it('fails calls and watches within their deadlines, and serves them when it is back', async () => {
    await begin({ appendonly: false });
    const follower = follow();
    await eventually(() => follower.resets.length > 0, 'the watch began');
    process.kill(server.pid, 'SIGSTOP');
    const calls = [store.ping(CALL), readAll(store), putOne(store, item('k')), store.epoch(CALL)];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } });
    }
    await eventually(() => follower.cuts > 0, 'the watch was cut');
    process.kill(server.pid, 'SIGCONT');
    const revision = await untilReached(() => putOne(store, item('later')));
    await eventually(() => follower.seen.includes(revision), 'the feed goes on');
    ending.abort();
    await follower.done;
    expect(follower.resets).toHaveLength(1);
  });

  it('fails calls when there is no server at all', async () => {
    await begin({ appendonly: false });
    await server.kill();
    await eventually(() => errors.length > 0, 'the connection is lost');
    const calls = Array.from({ length: 1_100 }, () => store.ping(CALL));
    const results = await Promise.allSettled(calls);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await server.restart();
    await untilReached(() => store.ping(CALL));
  });

  it('fails calls after the connection was closed', async () => {
    await begin({ appendonly: false });
    await connection[Symbol.asyncDispose]();
    await expect(store.ping(CALL)).rejects.toThrow(StoreUnavailableError);
  });
});
