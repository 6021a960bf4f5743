import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreUnavailableError } from '@tagplane/store';
import type { CallOptions, Store } from '@tagplane/store';
import { freshness } from '@tagplane/session';
import type { ClockReading } from '@tagplane/session';
import { nodeSync } from '../nodes/node-record.ts';
import { FakeAgent } from '../testing/fake-agent.ts';
import { assigned, discovered, instanceKey, put, remove } from '../testing/fleet.ts';
import { metric, nodeRecord, overridden, testPlane, testStores } from '../testing/test-plane.ts';
import type { TestPlane, TestStores } from '../testing/test-plane.ts';

// Virtual minutes are thousands of timers.
jest.setTimeout(60_000);

/** All of it in virtual time, on a store that fails as told. */
let stores: TestStores;
let auth: TestPlane | undefined;

beforeEach(() => {
  jest.useFakeTimers();
  stores = testStores();
});

afterEach(async () => {
  await auth?.[Symbol.asyncDispose]();
  jest.useRealTimers();
  await stores[Symbol.asyncDispose]();
});

function clockAt(ms: number): ClockReading {
  return { wallMs: ms, monotonicMs: ms, boot: 'test' };
}

async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

/** Every operation fails while `away`. */
function flaky(store: Store, state: { away: boolean }): Store {
  const guard = <Result>(act: () => Promise<Result>): Promise<Result> =>
    state.away ? Promise.reject(new StoreUnavailableError('away')) : act();
  return overridden(store, {
    put: (items, options) => guard(() => store.put(items, options)),
    getMany: (keys, options) => guard(() => store.getMany(keys, options)),
    range: (range, options) => guard(() => store.range(range, options)),
    count: (prefix, options) => guard(() => store.count(prefix, options)),
    watch: (options) => watchUntilAway(store, state, options),
  });
}

async function* watchUntilAway(store: Store, state: { away: boolean }, options: CallOptions) {
  for await (const batch of store.watch(options)) {
    if (state.away) throw new StoreUnavailableError('away');
    yield batch;
  }
}

describe('faults', () => {
  it('changes nothing while the store is away, then catches up', async () => {
    const state = { away: false };
    const { serverInfos, nodes } = stores;
    await put(serverInfos, discovered(1, { Name: 'web' }), assigned('a', 's2', { k: 'v' }));
    const running = testPlane({ serverInfos: flaky(serverInfos, state), nodes: flaky(nodes, state) });
    auth = running;
    await pass(1_000);
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(running.plane);
    await pass(1_000);
    expect(agent.labels).toEqual({ 'aws/Name': 'web' });
    state.away = true;
    const late = new FakeAgent('s2', { runsOn: 2 }).connect(running.plane);
    agent.heartbeat();
    await pass(120_000);
    expect([agent.labels, late.labels, late.ended]).toEqual([{ 'aws/Name': 'web' }, {}, 'open']);
    expect(await metric(running.registry, 'lookup_failures_total')).toBeGreaterThan(5);
    expect(await metric(running.registry, 'node_record_failures_total')).toBeGreaterThan(5);
    await put(serverInfos, discovered(1, { Name: 'db' }), discovered(2, { Name: 'two' }));
    await pass(10_000);
    state.away = false;
    await pass(70_000);
    expect(agent.labels).toEqual({ 'aws/Name': 'db' });
    expect(late.labels).toEqual({ 'aws/Name': 'two', 'dynamic/k': 'v' });
    expect(await nodeRecord(nodes, 's2')).toMatchObject({ sync: { state: 'synced' }, connected: true });
  });

  it('does not stop for one node whose ServerInfo cannot be read, and tries that one again', async () => {
    const { serverInfos, nodes } = stores;
    const numbers = [1, 2, 3, 4, 5];
    await put(serverInfos, ...numbers.map((number) => discovered(number, { Name: `${number}` })));
    await put(serverInfos, { key: instanceKey(3), value: '[99]', ttlMs: undefined });
    const running = testPlane({ serverInfos, nodes });
    auth = running;
    await pass(500);
    const agents = numbers.map((number) =>
      new FakeAgent(`s${number}`, { runsOn: number }).connect(running.plane),
    );
    await pass(61_000);
    expect(agents.map((agent) => agent.labels['aws/Name'])).toEqual(['1', '2', undefined, '4', '5']);
    expect(agents.every((agent) => agent.ended === 'open')).toBe(true);
    expect(await metric(running.registry, 'sweep_errors_total{what="node"}')).toBeGreaterThan(0);
    expect(await metric(running.registry, 'reconciles_total{trigger="retry"}')).toBeGreaterThan(1);
    await put(serverInfos, discovered(3, { Name: '3' }));
    await pass(1_000);
    expect(agents[2]?.labels).toEqual({ 'aws/Name': '3' });
    const retries = await metric(running.registry, 'reconciles_total{trigger="retry"}');
    await pass(600_000);
    expect(await metric(running.registry, 'reconciles_total{trigger="retry"}')).toBe(retries);
  });

  it('finds by the sweep what the change feed did not tell', async () => {
    const { serverInfos, nodes } = stores;
    const deaf = overridden(serverInfos, {
      async *watch({ signal }) {
        yield { type: 'reset', revision: 1, epoch: 'e' };
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
      },
    });
    const running = testPlane({ serverInfos: deaf, nodes });
    auth = running;
    await pass(500);
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(running.plane);
    await pass(1_000);
    await put(serverInfos, discovered(1, { Name: 'web' }));
    await pass(1_000);
    expect(agent.labels).toEqual({});
    await pass(60_000);
    expect(agent.labels).toEqual({ 'aws/Name': 'web' });
  });

  it('is silent in the steady state: heartbeats every 5 minutes bring pings only', async () => {
    const { serverInfos, nodes } = stores;
    await put(serverInfos, discovered(1, { Name: 'web' }));
    const running = testPlane({ serverInfos, nodes });
    auth = running;
    await pass(500);
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(running.plane);
    for (let beat = 0; beat < 4; beat += 1) {
      await pass(300_000);
      agent.heartbeat();
    }
    await pass(1_000);
    expect(agent.log.filter((kind) => kind !== 'ping')).toEqual(['hello', 'replace']);
    expect(agent.ended).toBe('open');
    expect((await nodeRecord(nodes, 's1'))?.lastSeen).toBe(Date.now() - 1_000);
  });

  it('keeps a node’s record for three heartbeats and shows labels that ran out', async () => {
    const { serverInfos, nodes } = stores;
    const running = testPlane({ serverInfos, nodes });
    auth = running;
    await pass(500);
    await put(serverInfos, discovered(1, { Name: 'web' }, { ttlMs: 600_000 }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(running.plane);
    await pass(1_000);
    agent.session?.end();
    await pass(14 * 60_000);
    const record = await nodeRecord(nodes, 's1');
    expect(record).toMatchObject({ connected: false, sync: { state: 'synced' } });
    expect(record && nodeSync(record, Date.now())).toMatchObject({ state: 'stale' });
    expect(record && nodeSync(record, record.lastSeen)).toEqual({ state: 'synced', reason: '' });
    await pass(2 * 60_000);
    expect(await nodeRecord(nodes, 's1')).toBeUndefined();
  });

  it('writes the nodes again into a store that was emptied, without waiting for their heartbeats', async () => {
    const { serverInfos, nodes } = stores;
    const emptied = new Set<() => void>();
    const watched = overridden(nodes, {
      async *watch(options) {
        yield { type: 'reset', revision: 1, epoch: 'first' };
        await new Promise<void>((resolve) => {
          options.signal.addEventListener('abort', () => {
            resolve();
          });
          emptied.add(resolve);
        });
        yield { type: 'reset', revision: 2, epoch: 'second' };
        yield* nodes.watch(options);
      },
    });
    const running = testPlane({ serverInfos, nodes: watched });
    auth = running;
    await pass(500);
    new FakeAgent('s1', { runsOn: 1 }).connect(running.plane);
    await pass(1_000);
    expect(await nodeRecord(nodes, 's1')).toMatchObject({ sync: { state: 'unmatched' } });
    await remove(nodes, 's1');
    for (const empty of emptied) empty();
    await pass(2_000);
    expect(await nodeRecord(nodes, 's1')).toMatchObject({ sync: { state: 'unmatched' }, connected: true });
  });

  it('delivers what operators assign beside a ServerInfo that the store lost, once that has ended', async () => {
    const { serverInfos, nodes } = stores;
    const state = { lost: false };
    const forgetful = overridden(serverInfos, {
      getMany: async (keys, options) => {
        const found = await serverInfos.getMany(keys, options);
        const lost = (key: string) => state.lost && key === 'assigned/a';
        return found.map((item) => (lost(item.key) ? { state: 'absent', key: item.key } : item));
      },
    });
    await put(
      serverInfos,
      { ...assigned('a', 's1', { a: 'short' }), ttlMs: 600_000 },
      assigned('b', 's1', { b: 'long' }),
    );
    const running = testPlane({ serverInfos: forgetful, nodes });
    auth = running;
    await pass(500);
    const agent = new FakeAgent('s1').connect(running.plane);
    await pass(1_000);
    expect(agent.labels).toEqual({ 'dynamic/a': 'short', 'dynamic/b': 'long' });
    state.lost = true;
    for (let beat = 0; beat < 3; beat += 1) {
      await pass(300_000);
      agent.heartbeat();
    }
    await pass(1_000);
    expect(agent.labels).toEqual({ 'dynamic/b': 'long' });
    expect(agent.held && freshness(agent.held, clockAt(Date.now())).stale).toEqual([]);
  });

  it('follows operators also for a node that nobody remembers: what it holds has no end, so it is theirs', async () => {
    await put(stores.serverInfos, assigned('a', 's1', { k: 'old' }));
    const agent = new FakeAgent('s1');
    {
      await using before = testPlane(stores);
      await pass(500);
      agent.connect(before.plane);
      await pass(1_000);
      expect(agent.labels).toEqual({ 'dynamic/k': 'old' });
    }
    await using emptied = testStores();
    auth = testPlane(emptied);
    await pass(500);
    agent.connect(auth.plane);
    await pass(5_000);
    expect(agent.labels).toEqual({ 'dynamic/k': 'old' });
    await put(emptied.serverInfos, assigned('a', 's1', { k: 'new' }));
    await pass(1_000);
    expect(agent.labels).toEqual({ 'dynamic/k': 'new' });
    await auth[Symbol.asyncDispose]();
    auth = undefined;
  });

  it('cuts off an agent that reads nothing, and one that does not answer', async () => {
    const running = testPlane(stores);
    auth = running;
    await pass(500);
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1, answers: false }).connect(running.plane);
    const idle = new FakeAgent('s2', { runsOn: 2, answers: false }).connect(running.plane);
    await pass(2_000);
    expect(await nodeRecord(stores.nodes, 's1')).toMatchObject({ sync: { state: 'pending' } });
    await pass(100_000);
    expect([agent.ended, idle.ended]).toEqual(['cut', 'cut']);
    expect(agent.log.filter((kind) => kind === 'replace').length).toBe(3);
    expect(await nodeRecord(stores.nodes, 's1')).toMatchObject({ connected: false });
    expect(running.plane.connectedAgents).toBe(0);
  });
});
