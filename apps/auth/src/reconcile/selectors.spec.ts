import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Store } from '@tagplane/store';
import { FakeAgent } from '../testing/fake-agent.ts';
import { assigned, discovered, instanceKey, put, remove, selecting } from '../testing/fleet.ts';
import { metric, nodeRecord, overridden, testPlane, testStores, until } from '../testing/test-plane.ts';
import type { TestPlane, TestStores } from '../testing/test-plane.ts';

jest.setTimeout(60_000);

let stack: AsyncDisposableStack;
let stores: TestStores;
let auth: TestPlane;
/** Nodes looked up in the store. */
let lookups = 0;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  stores = stack.use(testStores());
  lookups = 0;
  const serverInfos = counted(stores.serverInfos);
  auth = stack.use(testPlane({ ...stores, serverInfos }));
});

afterEach(() => stack.disposeAsync());

function counted(store: Store): Store {
  return overridden(store, {
    getMany(keys, options) {
      lookups += keys.filter((key) => key.startsWith('discovered/')).length;
      return store.getMany(keys, options);
    },
  });
}

async function labelled(agent: FakeAgent, labels: Record<string, string>): Promise<void> {
  await until(
    () => JSON.stringify(agent.labels) === JSON.stringify(labels),
    `${agent.serverId} holds ${JSON.stringify(labels)}, has ${JSON.stringify(agent.labels)}`,
  );
}

/** Every agent has what it should have, and the process knows it. */
async function settled(...agents: readonly FakeAgent[]): Promise<void> {
  for (const { serverId } of agents) {
    await until(async () => {
      const record = await nodeRecord(stores.nodes, serverId);
      return record !== undefined && record.sync.state !== 'pending';
    }, `${serverId} is settled`);
  }
}

const db = { 'aws/team': 'db' };

describe('labels by selector', () => {
  it('go to the nodes that it picks, when it is written, changed and removed', async () => {
    await put(stores.serverInfos, discovered(1, { team: 'db' }), discovered(2, { team: 'web' }));
    const picked = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    const other = new FakeAgent('s2', { runsOn: 2 }).connect(auth.plane);
    await labelled(picked, db);
    await labelled(other, { 'aws/team': 'web' });
    await settled(picked, other);
    await put(stores.serverInfos, selecting('tier', 'aws/team=db', { tier: 'back' }));
    await labelled(picked, { ...db, 'dynamic/tier': 'back' });
    await put(stores.serverInfos, selecting('tier', 'aws/team=w*', { tier: 'front' }));
    await labelled(picked, db);
    await labelled(other, { 'aws/team': 'web', 'dynamic/tier': 'front' });
    await remove(stores.serverInfos, 'assigned/tier');
    await labelled(other, { 'aws/team': 'web' });
    expect([picked.log, other.log]).toEqual([
      ['hello', 'replace', 'replace', 'replace'],
      ['hello', 'replace', 'replace', 'replace'],
    ]);
  });

  it('are there in the answer to the hello', async () => {
    await put(
      stores.serverInfos,
      discovered(1, { team: 'db' }),
      selecting('t', 'aws/team=db', { tier: 'x' }),
    );
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, { ...db, 'dynamic/tier': 'x' });
    expect(agent.log).toEqual(['hello', 'replace']);
  });

  it('follow the tags of the instance, and what operators assign by name', async () => {
    await put(
      stores.serverInfos,
      discovered(1, { team: 'db' }),
      selecting('a', 'aws/team=db', { tier: 'back' }),
      selecting('b', 'dynamic/ring=canary', { alarm: 'off' }),
    );
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, { ...db, 'dynamic/tier': 'back' });
    await put(stores.serverInfos, assigned('ring', 's1', { ring: 'canary' }));
    await labelled(agent, {
      ...db,
      'dynamic/ring': 'canary',
      'dynamic/alarm': 'off',
      'dynamic/tier': 'back',
    });
    await put(stores.serverInfos, discovered(1, { team: 'ops' }));
    await labelled(agent, { 'aws/team': 'ops', 'dynamic/ring': 'canary', 'dynamic/alarm': 'off' });
    await remove(stores.serverInfos, instanceKey(1));
    await labelled(agent, { 'dynamic/ring': 'canary', 'dynamic/alarm': 'off' });
  });

  it('do not see what a node says of itself, imported tags included', async () => {
    await put(
      stores.serverInfos,
      selecting('a', 'aws/team=db', { tier: 'back' }),
      selecting('b', '*=*', { all: 'yes' }),
    );
    const agent = new FakeAgent('s1', { imported: db, own: { team: 'db' } }).connect(auth.plane);
    await labelled(agent, { 'dynamic/all': 'yes' });
  });

  it('do not see each other: the order of writing means nothing', async () => {
    // The API refuses the second; two auth processes may write both at once.
    const chain = [
      selecting('a', 'aws/team=db', { tier: 'back' }),
      selecting('b', 'dynamic/tier=back', { alarm: 'on' }),
    ];
    await put(stores.serverInfos, discovered(1, { team: 'db' }), ...chain);
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, { ...db, 'dynamic/tier': 'back' });
    await settled(agent);
    await put(stores.serverInfos, ...chain.toReversed());
    await put(stores.serverInfos, discovered(1, { team: 'db', seen: 'again' }));
    await labelled(agent, { ...db, 'aws/seen': 'again', 'dynamic/tier': 'back' });
  });

  it('end with the aws/ labels that they rest on', async () => {
    await put(
      stores.serverInfos,
      discovered(1, { team: 'db' }, { ttlMs: 600_000 }),
      selecting('a', 'aws/team=db', { tier: 'back' }),
    );
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, { ...db, 'dynamic/tier': 'back' });
    const remaining = agent.held?.sets.map((set) => set.remainingMs ?? Infinity) ?? [];
    expect(Math.max(...remaining)).toBeLessThanOrEqual(600_000);
    expect(remaining).toHaveLength(2);
    await put(stores.serverInfos, discovered(1, { team: 'db' }, { ttlMs: 1_200_000 }));
    await until(() => agent.log.includes('renew'), 'both are renewed');
    expect(Math.min(...(agent.held?.sets.map((set) => set.remainingMs ?? 0) ?? []))).toBeGreaterThan(900_000);
  });

  it('stay when the store has lost the instance, by what the node holds', async () => {
    await put(
      stores.serverInfos,
      discovered(1, { team: 'db' }),
      selecting('a', 'aws/team=db', { tier: 'x' }),
    );
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, { ...db, 'dynamic/tier': 'x' });
    await settled(agent);
    const emptied = overridden(stores.serverInfos, {
      getMany: (keys, options) =>
        keys.some((key) => key === instanceKey(1))
          ? Promise.resolve(keys.map((key) => ({ state: 'absent' as const, key })))
          : stores.serverInfos.getMany(keys, options),
    });
    const second = stack.use(testPlane({ ...stores, serverInfos: emptied }, { authId: 'auth-2' }));
    agent.session?.end();
    agent.connect(second.plane);
    await put(stores.serverInfos, selecting('b', 'aws/team=db', { more: 'y' }));
    await labelled(agent, { ...db, 'dynamic/more': 'y', 'dynamic/tier': 'x' });
  });
});

describe('a change of one selector', () => {
  it('reaches just the nodes that it concerns, and asks the store for none of them', async () => {
    const count = 40;
    const teams = ['db', 'web', 'ops', 'dev'];
    const agents: FakeAgent[] = [];
    for (let number = 0; number < count; number += 1) {
      await put(stores.serverInfos, discovered(number, { team: teams[number % 4] ?? '' }));
      agents.push(new FakeAgent(`s${number}`, { runsOn: number }).connect(auth.plane));
    }
    for (const [number, agent] of agents.entries())
      await labelled(agent, { 'aws/team': teams[number % 4] ?? '' });
    await settled(...agents);
    lookups = 0;
    const pushes = await metric(auth.registry, 'pushes_total{kind="replace"}');
    await put(stores.serverInfos, selecting('a', 'aws/team=[db, web]', { tier: '1' }));
    await until(async () => (await metric(auth.registry, 'acks_total')) === count + 20, 'all that it picks');
    await put(stores.serverInfos, selecting('a', 'aws/team=[db, ops]', { tier: '1' }));
    await until(
      async () => (await metric(auth.registry, 'acks_total')) === count + 40,
      'only the difference',
    );
    expect(await metric(auth.registry, 'pushes_total{kind="replace"}')).toBe(pushes + 40);
    expect(agents.map((agent) => agent.labels['dynamic/tier'])).toEqual(
      agents.map((_, number) => (number % 2 === 0 ? '1' : undefined)),
    );
    expect(lookups).toBe(0);
  });
});

describe('too many labels', () => {
  it('leave out those of lowest precedence, and say so', async () => {
    const numbered = (prefix: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${100 + index}`, '1']));
    await put(
      stores.serverInfos,
      ...[1, 2, 3, 4].map((part) => assigned(`n${part}`, 's1', numbered(`n${part}-`, 50))),
      selecting('low', '*=*', { low: '1', other: '2' }),
    );
    const agent = new FakeAgent('s1').connect(auth.plane);
    await until(() => Object.keys(agent.labels).length === 200, 'as many labels as there may be');
    expect(agent.labels['dynamic/low']).toBeUndefined();
    await settled(agent);
    expect((await nodeRecord(stores.nodes, 's1'))?.sync).toEqual({
      state: 'synced',
      reason: '2 labels of lowest precedence left out: a node has at most 200 under dynamic/',
    });
    expect(await metric(auth.registry, 'nodes_over_label_limit')).toBe(1);
    expect(await metric(auth.registry, 'selector_server_infos')).toBe(1);
    await put(stores.serverInfos, selecting('lower', '*=*', { more: '1' }));
    const reason = async () => (await nodeRecord(stores.nodes, 's1'))?.sync.reason;
    await until(async () => (await reason())?.startsWith('3 labels') === true, 'it is said of one more');
    expect(agent.log).toEqual(['hello', 'replace']);
    await remove(stores.serverInfos, 'assigned/n1');
    await until(() => agent.labels['dynamic/low'] === '1', 'there is room again');
    await until(async () => (await reason()) === '', 'no more is said');
    expect(await metric(auth.registry, 'nodes_over_label_limit')).toBe(0);
  });
});
