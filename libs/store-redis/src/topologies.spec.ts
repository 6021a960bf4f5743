import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { CALL, eventually, item, putOne, readAll, readFeed } from '@tagplane/store/testing';
import { connectRedis } from './connection.ts';
import type { RedisConnection } from './connection.ts';
import { createRedisStore } from './redis-store.ts';
import { endProgram, freePort, startProgram } from './testing/processes.ts';
import { startRedis } from './testing/index.ts';

jest.setTimeout(180_000);

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Starts a server that ends with the test. */
async function start(args: readonly string[]): ReturnType<typeof startRedis> {
  const server = await startRedis({ args });
  cleanups.push(() => server.stop());
  return server;
}

function connect(url: string): RedisConnection {
  const connection = connectRedis(url);
  cleanups.push(() => connection[Symbol.asyncDispose]());
  return connection;
}

function open(url: string): Store {
  const store = createRedisStore(connect(url), { kind: 'test', expiryIntervalMs: 20 });
  cleanups.push(async () => {
    await store[Symbol.asyncDispose]();
  });
  return store;
}

/** Every command and script of the store, once. */
async function useAll(store: Store): Promise<void> {
  await store.ping(CALL);
  await using reader = await readFeed(store);
  await store.put([item('a'), { ...item('b'), ttlMs: 30 }, item('c')], CALL);
  await store.delete([{ key: 'c' }], CALL);
  await reader.until(({ changes }) => changes.length === 5, 'five changes');
  expect(reader.changes.map(({ type }) => type).sort()).toEqual(['deleted', 'expired', 'put', 'put', 'put']);
  expect((await readAll(store)).map(({ key }) => key)).toEqual(['a']);
  expect((await store.getMany(['a', 'b', 'd'], CALL)).map(({ state }) => state)).toEqual([
    'live',
    'gone',
    'absent',
  ]);
  expect(await store.count('', CALL)).toBe(1);
}

describe('a Redis Cluster', () => {
  it('serves the store', async () => {
    const args = ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`];
    const server = await start([...args, '--cluster-announce-ip', '127.0.0.1']);
    const node = connect(server.url);
    const limits = { ...CALL, timeoutMs: 10_000 };
    await node.run(limits, (client) => client.cluster('ADDSLOTSRANGE', 0, 16_383));
    await eventually(
      async () => (await node.run(limits, (client) => client.cluster('INFO'))).includes('cluster_state:ok'),
      'the cluster is ready',
    );
    await useAll(open(`redis+cluster://127.0.0.1:${server.port}`));
  });
});

/** Starts a sentinel that watches the server under the name `main`, and fails over within a second or two. */
async function startSentinel(masterPort: number): Promise<number> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'tagplane-sentinel-'));
  const file = join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
    // The failover is asked for: a short time until a server counts as down would call a busy one down.
    'sentinel down-after-milliseconds main 10000',
    // One that got stuck is given up, and asked for again; three minutes by default.
    'sentinel failover-timeout main 15000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  // Not before it has heard of the replica: one that it does not know of it cannot promote.
  const sentinel = await startProgram('redis-server', [file, '--sentinel'], /\+slave slave /);
  cleanups.push(async () => {
    await endProgram(sentinel, 'SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });
  return port;
}

describe('Sentinel', () => {
  it('leads to the master, and to the next one after a failover', async () => {
    const master = await start([]);
    const replica = await start([
      '--replicaof',
      '127.0.0.1',
      `${master.port}`,
      '--repl-diskless-sync-delay',
      '0',
    ]);
    const toReplica = connect(replica.url);
    const limits = { ...CALL, timeoutMs: 10_000 };
    await eventually(
      async () =>
        (await toReplica.run(limits, (client) => client.info('replication'))).includes('link_status:up'),
      'the replica follows',
    );
    const sentinelPort = await startSentinel(master.port);
    const store = open(`redis+sentinel://127.0.0.1:${sentinelPort}/main`);
    await useAll(store);
    const toSentinel = connect(`redis://127.0.0.1:${sentinelPort}`);
    await eventually(async () => {
      // Refused while Sentinel does not yet think the replica good enough.
      await toSentinel
        .run(limits, (client) => client.call('SENTINEL', 'FAILOVER', 'main'))
        .catch(() => undefined);
      // A promoted server ends its connections.
      const role = await toReplica.run(limits, (client) => client.info('replication')).catch(() => '');
      return role.includes('role:master');
    }, 'the replica was promoted');
    await eventually(async () => {
      const address = await toSentinel.run(limits, (client) =>
        client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main'),
      );
      return String(address).endsWith(`,${replica.port}`);
    }, 'Sentinel names the promoted one');
    await master.kill();
    const revision = await eventually(
      () =>
        putOne(store, item('after')).catch((error: unknown) => {
          expect(error).toBeInstanceOf(StoreUnavailableError);
          return undefined;
        }),
      'the replica took over',
    );
    const written = await eventually(
      () =>
        toReplica
          .run(limits, (client) => client.get('tagplane:{test}:v:after'))
          .then(
            (value) => value ?? undefined,
            () => undefined,
          ),
      'the item is on the replica',
    );
    expect(written).toContain(`${revision}`);
  });
});
