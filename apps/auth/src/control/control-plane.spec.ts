import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GoodbyeReason } from '@tagplane/protocol';
import type { AuthGoodbye } from '@tagplane/protocol';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { FakeAgent } from '../testing/fake-agent.ts';
import { assigned, discovered, instanceKey, put, remove } from '../testing/fleet.ts';
import { metric, nodeRecord, testPlane, testStores, until } from '../testing/test-plane.ts';
import type { TestPlane, TestStores } from '../testing/test-plane.ts';

jest.setTimeout(30_000);

let stack: AsyncDisposableStack;
let stores: TestStores;
let auth: TestPlane;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  stores = stack.use(testStores());
  auth = stack.use(testPlane(stores));
});

afterEach(() => stack.disposeAsync());

const web = { 'aws/Name': 'web' };

async function labelled(agent: FakeAgent, labels: Record<string, string>): Promise<void> {
  await until(
    () => JSON.stringify(agent.labels) === JSON.stringify(labels),
    `${agent.serverId} holds ${JSON.stringify(labels)}, has ${JSON.stringify(agent.labels)}`,
  );
}

async function inSync(serverId: string, state: string): Promise<void> {
  await until(
    async () => (await nodeRecord(stores.nodes, serverId))?.sync.state === state,
    `${serverId} ${state}`,
  );
}

describe('from ServerInfo to agent', () => {
  it('answers the hello with the labels, acknowledged and recorded', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }), assigned('b', 's1', { tier: 'x' }));
    const agent = new FakeAgent('s1', { runsOn: 1, own: { env: 'prod' }, imported: { 'aws/Name': 'meta' } });
    agent.connect(auth.plane);
    await labelled(agent, { ...web, 'dynamic/tier': 'x' });
    expect(agent.log).toEqual(['hello', 'replace']);
    await inSync('s1', 'synced');
    expect(await nodeRecord(stores.nodes, 's1')).toMatchObject({
      hostname: 's1.example',
      agentVersion: '1.2.3',
      connected: true,
      authId: 'auth-1',
      own: new Map([['env', 'prod']]),
      imported: new Map([['aws/Name', 'meta']]),
      acked: {
        revision: agent.held?.revision,
        sets: { 'aws/': new Map([['aws/Name', 'web']]), 'dynamic/': new Map([['dynamic/tier', 'x']]) },
      },
      wantedRevision: agent.held?.revision,
    });
    expect(auth.plane.connectedAgents).toBe(1);
  });

  it('pushes a change, an expiry and a deletion at once', async () => {
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await inSync('s1', 'unmatched');
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    await labelled(agent, web);
    await put(stores.serverInfos, discovered(1, { Name: 'db', a: '' }, { ttlMs: 1_500 }));
    await labelled(agent, { 'aws/Name': 'db', 'aws/a': '' });
    await labelled(agent, {});
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    await labelled(agent, web);
    await remove(stores.serverInfos, instanceKey(1));
    await labelled(agent, {});
    await inSync('s1', 'unmatched');
    expect(await metric(auth.registry, 'change_to_ack_seconds_count')).toBe(5);
  });

  it('sends only the lifetimes when only they changed, and nothing for nothing', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    await put(stores.serverInfos, discovered(1, { Name: 'web' }, { ttlMs: 7_200_000 }));
    await until(() => agent.log.includes('renew'), 'a renewal');
    expect(agent.log).toEqual(['hello', 'replace', 'renew']);
    agent.heartbeat().heartbeat();
    await put(stores.serverInfos, discovered(2, { Name: 'other' }));
    await until(async () => (await metric(auth.registry, 'acks_total')) === 2, 'both acks');
    expect(agent.log).toEqual(['hello', 'replace', 'renew']);
    const [set] = agent.held?.sets ?? [];
    expect(set?.remainingMs).toBeGreaterThan(7_190_000);
  });

  it('follows assigned ServerInfos by server id and by instance, the server id winning', async () => {
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await put(stores.serverInfos, assigned('b', 's1', { k: 'b' }), assigned('a', 1, { k: 'a', l: 'a' }));
    await labelled(agent, { 'dynamic/k': 'b', 'dynamic/l': 'a' });
    await put(stores.serverInfos, assigned('b', 's2', { k: 'b' }));
    await labelled(agent, { 'dynamic/k': 'a', 'dynamic/l': 'a' });
    await remove(stores.serverInfos, 'assigned/a');
    await labelled(agent, {});
  });

  it('sends nothing to an agent that comes back with what it should have', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    agent.session?.end();
    await until(async () => (await nodeRecord(stores.nodes, 's1'))?.connected === false, 'disconnected');
    expect((await nodeRecord(stores.nodes, 's1'))?.sync.state).toBe('synced');
    agent.received.length = 0;
    agent.connect(auth.plane);
    await until(async () => (await nodeRecord(stores.nodes, 's1'))?.connected === true, 'connected again');
    expect(agent.log).toEqual(['hello']);
    expect((await nodeRecord(stores.nodes, 's1'))?.acked.sets['aws/']).toEqual(
      new Map([['aws/Name', 'web']]),
    );
  });

  it('follows the node to another instance, and takes the first one’s labels away', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }), discovered(2, { Name: 'db' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    agent.heartbeat({ runsOn: 2 });
    await labelled(agent, { 'aws/Name': 'db' });
    agent.heartbeat({ runsOn: 3 });
    await labelled(agent, {});
    await put(stores.serverInfos, discovered(1, { Name: 'not any more' }), discovered(3, { Name: 'three' }));
    await labelled(agent, { 'aws/Name': 'three' });
  });

  it('shows a refusal, and sends the next change', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, '']));
    await put(stores.serverInfos, discovered(1, many));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await until(
      async () => (await nodeRecord(stores.nodes, 's1'))?.sync.reason.includes('refused') === true,
      'refusal',
    );
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    await labelled(agent, web);
    await inSync('s1', 'synced');
  });
});

describe('a store that has lost things', () => {
  it('takes nothing away, from a live session', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    await inSync('s1', 'synced');
    const emptied = stack.use(testStores());
    const other = stack.use(testPlane({ ...stores, serverInfos: emptied.serverInfos }));
    agent.connect(other.plane);
    await inSync('s1', 'pending');
    expect(agent.labels).toEqual(web);
    await put(emptied.serverInfos, assigned('a', 's1', { k: 'v' }));
    await labelled(agent, { ...web, 'dynamic/k': 'v' });
    await put(emptied.serverInfos, discovered(1, { Name: 'web' }));
    await inSync('s1', 'synced');
  });

  it('keeps even what nobody can name, until there is something to say', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    const emptied = stack.use(testStores());
    const other = stack.use(testPlane(emptied));
    await put(emptied.serverInfos, assigned('a', 's1', { k: 'v' }));
    agent.received.length = 0;
    agent.connect(other.plane);
    await until(async () => (await nodeRecord(emptied.nodes, 's1')) !== undefined, 'a record');
    expect(await nodeRecord(emptied.nodes, 's1')).toMatchObject({ sync: { state: 'pending' } });
    expect([agent.log, agent.labels]).toEqual([['hello'], web]);
    await put(emptied.serverInfos, discovered(1, { Name: 'new' }));
    await labelled(agent, { 'aws/Name': 'new', 'dynamic/k': 'v' });
  });

  it('does not give a copied disk the labels of another instance', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    await inSync('s1', 'synced');
    agent.session?.end();
    agent.options = { runsOn: 2 };
    agent.connect(auth.plane);
    await labelled(agent, {});
  });
});

describe('one session per server id', () => {
  const goodbyeOf = (agent: FakeAgent): AuthGoodbye => agent.goodbye as AuthGoodbye;

  it('lets the newer one win within a process', async () => {
    const first = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    const second = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await until(() => first.ended === 'closed', 'the first one’s end');
    expect(goodbyeOf(first).reason).toBe(GoodbyeReason.SUPERSEDED);
    const after = goodbyeOf(first).reconnectAfter;
    expect(after === undefined ? 0 : durationMs(after)).toBeGreaterThan(44_000);
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    await labelled(second, web);
    expect(first.labels).toEqual({});
    expect(auth.plane.connectedAgents).toBe(1);
  });

  it('lets the newer one win across processes, and whichever holds the stream pushes', async () => {
    const other = stack.use(testPlane(stores, { authId: 'auth-2' }));
    const first = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    const stays = new FakeAgent('s2', { runsOn: 2 }).connect(auth.plane);
    await inSync('s1', 'unmatched');
    const second = new FakeAgent('s1', { runsOn: 1 }).connect(other.plane);
    await until(() => first.ended === 'closed', 'the first one’s end');
    expect(goodbyeOf(first).reason).toBe(GoodbyeReason.SUPERSEDED);
    await put(stores.serverInfos, discovered(1, { Name: 'web' }), discovered(2, { Name: 'db' }));
    await labelled(second, web);
    await labelled(stays, { 'aws/Name': 'db' });
    await inSync('s1', 'synced');
    expect(await nodeRecord(stores.nodes, 's1')).toMatchObject({ authId: 'auth-2', connected: true });
    expect(await nodeRecord(stores.nodes, 's2')).toMatchObject({ authId: 'auth-1', connected: true });
    expect([auth.plane.connectedAgents, other.plane.connectedAgents]).toEqual([1, 1]);
    expect(stays.ended).toBe('open');
  });
});

describe('who may come in', () => {
  it('denies an agent that speaks for another server id', async () => {
    const agent = new FakeAgent('s1').connect(auth.plane, 's2');
    expect(agent.ended).toBe('denied');
    expect(await metric(auth.registry, 'hellos_total{result="denied"}')).toBe(1);
    expect(auth.plane.connectedAgents).toBe(0);
  });

  it.each<[string, object, RegExp]>([
    ['own labels under aws/', { own: { 'aws/Name': 'x' } }, /aws\/Name/],
    ['imported labels outside aws/', { imported: { Name: 'x' } }, /imported labels/],
    ['an empty key', { own: { '': 'x' } }, /empty/],
  ])('refuses %s, in a hello and in a heartbeat, and says why', (_, options, why) => {
    const hello = new FakeAgent('s1', options).connect(auth.plane);
    expect((hello.goodbye as AuthGoodbye).message).toMatch(why);
    const heartbeat = new FakeAgent('s2').connect(auth.plane).heartbeat(options);
    expect((heartbeat.goodbye as AuthGoodbye).reason).toBe(GoodbyeReason.REFUSED);
    expect(heartbeat.ended).toBe('closed');
  });

  it('counts messages of kinds that it does not know, and goes on', async () => {
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane).say(undefined);
    expect(await metric(auth.registry, 'unknown_messages_total')).toBe(1);
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    await labelled(agent, web);
  });

  it('takes a malformed instance for none, and says so', async () => {
    const agent = new FakeAgent('s1').connect(auth.plane);
    agent.say({
      case: 'heartbeat',
      value: { hostname: 'h', awsInstance: { accountId: '1', region: 'x', instanceId: 'y' } },
    });
    const reason = async (): Promise<string> => (await nodeRecord(stores.nodes, 's1'))?.sync.reason ?? '';
    await until(async () => (await reason()).includes('malformed'), 'the reason');
    expect(agent.ended).toBe('open');
  });

  it('lets hellos in at a bounded rate and sends the rest away', async () => {
    const slow = stack.use(testPlane(stores, { admissionRate: 2, admissionQueue: 1 }));
    const agents = ['a', 'b', 'c', 'd'].map((id) => new FakeAgent(id).connect(slow.plane));
    expect(slow.plane.connectedAgents).toBe(2);
    expect((agents[3]?.goodbye as AuthGoodbye).reason).toBe(GoodbyeReason.REFUSED);
    await until(() => slow.plane.connectedAgents === 3, 'the third one');
    expect(await metric(slow.registry, 'hellos_total{result="queue_full"}')).toBe(1);
  });
});

describe('draining', () => {
  it('sends everybody away, spread over ten seconds, and leaves the records disconnected', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agents = [1, 2, 3].map((number) =>
      new FakeAgent(`s${number}`, { runsOn: number }).connect(auth.plane),
    );
    const [first] = agents;
    await until(() => first?.log.includes('replace') === true, 'labels');
    await auth.plane.drain(2_000);
    for (const agent of agents) {
      const { reason, reconnectAfter } = agent.goodbye as AuthGoodbye;
      expect(reason).toBe(GoodbyeReason.DRAIN);
      expect(reconnectAfter === undefined ? -1 : durationMs(reconnectAfter)).toBeLessThanOrEqual(10_000);
      expect(await nodeRecord(stores.nodes, agent.serverId)).toMatchObject({ connected: false });
    }
    expect(auth.plane.problem).toBe('the process is stopping');
    const late = new FakeAgent('late').connect(auth.plane);
    expect((late.goodbye as AuthGoodbye).reason).toBe(GoodbyeReason.DRAIN);
  });

  it('cuts off those that do not read', async () => {
    const agent = new FakeAgent('s1', { runsOn: 1, answers: false }).connect(auth.plane);
    await inSync('s1', 'unmatched');
    await auth.plane.drain(300);
    expect(agent.ended).toBe('cut');
    expect(await metric(auth.registry, 'cut_streams_total')).toBe(1);
    expect(await nodeRecord(stores.nodes, 's1')).toMatchObject({ connected: false });
  });
});
