import { durationMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GoodbyeReason } from '@tagplane/protocol';
import type { AuthGoodbye, TrustChanged } from '@tagplane/protocol';
import { Registry, silentLogger } from '@tagplane/runtime';
import type { SyncState } from '../nodes/node-record.ts';
import { labelsOfNode } from '../nodes/node-record.ts';
import { createLocks } from '../locks/create-locks.ts';
import { enforceLocks } from '../locks/enforce-locks.ts';
import { parseLockId } from '../locks/lock.ts';
import { FakeAgent } from '../testing/fake-agent.ts';
import { assigned, discovered, instance, put } from '../testing/fleet.ts';
import { FakeConnection, identityOf } from '../testing/identities.ts';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { metric, nodeRecord, testPlane, testStores, until } from '../testing/test-plane.ts';
import type { TestPlane, TestStores } from '../testing/test-plane.ts';

let stack: AsyncDisposableStack;
let stores: TestStores;
let audit: RecordingAudit;
let auth: TestPlane;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  stores = stack.use(testStores());
  audit = new RecordingAudit();
  auth = stack.use(testPlane(stores, { audit }));
});
afterEach(() => stack.disposeAsync());

const web = { 'aws/Name': 'web' };
const malformed = { accountId: '1', region: 'x', instanceId: 'y' };

/** A connection of agent `s1` that proves the instance of this number; undefined: none. */
function proving(number: number | undefined): FakeConnection {
  return new FakeConnection(identityOf('agent', 's1', number === undefined ? undefined : instance(number)));
}

async function inState(state: SyncState, reason: RegExp): Promise<void> {
  await until(
    async () => {
      const sync = (await nodeRecord(stores.nodes, 's1'))?.sync;
      return sync?.state === state && reason.test(sync.reason);
    },
    `${state} ${String(reason)}`,
  );
}

async function shown(): Promise<Record<string, string>> {
  const record = await nodeRecord(stores.nodes, 's1');
  return record === undefined ? {} : Object.fromEntries(labelsOfNode(record));
}

async function labelled(agent: FakeAgent, labels: Record<string, string>): Promise<void> {
  await until(
    () => JSON.stringify(agent.labels) === JSON.stringify(labels),
    `${agent.serverId} holds ${JSON.stringify(labels)}`,
  );
}

describe('the instance that a certificate proves', () => {
  it('counts whether the agent names it or not', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { connection: proving(1) }).connect(auth.plane);
    await labelled(agent, web);
    agent.heartbeat({ ...agent.options, runsOn: 1 });
    await inState('synced', /^$/);
    expect((await nodeRecord(stores.nodes, 's1'))?.instance).toEqual(instance(1));
    expect(audit.records).toEqual([]);
  });

  it.each([
    ['another instance', { runsOn: 2 }, /another AWS instance/],
    ['a malformed one', { claims: malformed }, /malformed/],
  ])(
    'is the only one: %s gets no label of either, and what it imported does not count',
    async (_, says, why) => {
      await put(stores.serverInfos, discovered(1, { Name: 'web' }), discovered(2, { Name: 'db' }));
      await put(stores.serverInfos, assigned('x', 2, { of: '2' }), assigned('y', 's1', { of: 's1' }));
      const imported = { 'aws/Name': 'mine' };
      const agent = new FakeAgent('s1', { connection: proving(1), ...says, imported }).connect(auth.plane);
      await inState('unmatched', why);
      await until(() => agent.held !== undefined, 'the sets');
      expect(agent.held?.sets.map(({ namespace, labels }) => [namespace, labels.size])).toEqual([
        ['aws/', 0],
        ['dynamic/', 1],
      ]);
      await until(async () => JSON.stringify(await shown()) === '{"dynamic/of":"s1"}', 'the record');
      expect(audit.of('agent.instance_mismatch')).toMatchObject([
        { result: 'refused', actor: 'agent/s1', remoteAddress: '10.0.0.1', subjects: ['s1'] },
      ]);
    },
  );

  it('takes the labels away when the agent begins to say it is another, and gives them back', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }), discovered(2, { Name: 'db' }));
    const agent = new FakeAgent('s1', { connection: proving(1), runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    agent.heartbeat({ ...agent.options, runsOn: 2 });
    await labelled(agent, {});
    await inState('unmatched', /another AWS instance/);
    await put(stores.serverInfos, discovered(1, { Name: 'changed' }), discovered(2, { Name: 'changed' }));
    agent.heartbeat({ ...agent.options, runsOn: 1 });
    await labelled(agent, { 'aws/Name': 'changed' });
    await inState('synced', /^$/);
  });

  it('is missed once in the audit for each session and each other claim', async () => {
    const agent = new FakeAgent('s1', { connection: proving(1), runsOn: 2 }).connect(auth.plane);
    agent.heartbeat().heartbeat();
    agent.heartbeat({ ...agent.options, runsOn: 3 }).heartbeat();
    agent.heartbeat({ ...agent.options, runsOn: 1 });
    agent.heartbeat({ ...agent.options, runsOn: 3 });
    const named = () =>
      audit.of('agent.instance_mismatch').map(({ details }) => details?.['named']?.slice(-1));
    expect(named()).toEqual(['2', '3', '3']);
    agent.session?.end();
    agent.connect(auth.plane);
    expect(named()).toEqual(['2', '3', '3', '3']);
    expect(audit.records[0]?.details).toMatchObject({
      proven: `123456789012/eu-central-1/${instance(1).instance}`,
    });
    expect(await metric(auth.registry, 'instance_mismatches_total{problem="other_instance"}')).toBe(4);
  });
});

describe('a certificate without an instance', () => {
  it('gets no labels of an instance, and what the agent imported stands, marked as such', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }), assigned('y', 's1', { of: 's1' }));
    const options = { connection: proving(undefined), runsOn: 1, imported: { 'aws/Name': 'mine' } };
    const agent = new FakeAgent('s1', options).connect(auth.plane);
    await labelled(agent, { 'dynamic/of': 's1' });
    await inState('unmatched', /proves none/);
    await until(async () => (await shown())['dynamic/of'] === 's1', 'the record');
    expect(await shown()).toEqual({ 'aws/Name': 'mine', 'dynamic/of': 's1' });
    expect(audit.of('agent.instance_mismatch')).toMatchObject([{ details: { proven: 'none' } }]);
  });

  it('loses those that it had by an earlier one', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { connection: proving(1), runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    agent.session?.end();
    agent.options = { connection: proving(undefined) };
    agent.connect(auth.plane);
    await labelled(agent, {});
    await inState('unmatched', /names no AWS instance/);
    expect(audit.of('agent.instance_mismatch')).toEqual([]);
  });
});

describe('without certificates', () => {
  it('an agent is believed, and nothing of that is audited', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await labelled(agent, web);
    agent.heartbeat({ claims: malformed });
    expect(agent.ended).toBe('open');
    expect(audit.records).toEqual([]);
  });
});

describe('another trust bundle', () => {
  const told = (agent: FakeAgent): TrustChanged[] =>
    agent.received.flatMap(({ message }) => (message.case === 'trustChanged' ? [message.value] : []));

  it('is told to every agent that holds an older one, once', () => {
    const [old, fresh] = [1, 2].map((trusts) => {
      const connection = new FakeConnection(identityOf('agent', `t${trusts}`));
      return new FakeAgent(`t${trusts}`, { connection, trusts }).connect(auth.plane);
    }) as [FakeAgent, FakeAgent];
    expect(old.options.connection?.trustGeneration).toBe(1);
    auth.plane.announceTrust(2, 60_000);
    auth.plane.announceTrust(2, 60_000);
    old.heartbeat();
    expect(told(fresh)).toEqual([]);
    expect(told(old).map(({ generation, within }) => [generation, within && durationMs(within)])).toEqual([
      [2n, 60_000],
    ]);
    auth.plane.announceTrust(3, 1_000);
    expect([told(old).length, told(fresh).length]).toEqual([2, 1]);
    old.heartbeat({ ...old.options, trusts: 3 });
    expect(old.options.connection?.trustGeneration).toBe(3);
  });

  it('is told after the hello to who comes with an older one, by the present generation', async () => {
    const other = stack.use(testPlane(stores, { trustGeneration: () => 4 }));
    const connection = proving(1);
    const agent = new FakeAgent('s1', { connection, trusts: 3 }).connect(other.plane);
    expect(agent.log.slice(0, 2)).toEqual(['hello', 'trustChanged']);
    const second = new FakeAgent('s2', { trusts: 4 }).connect(other.plane);
    await until(() => second.log.length > 0, 'the hello');
    expect(told(second)).toEqual([]);
    expect(await metric(other.registry, 'trust_announcements_total')).toBe(1);
  });
});

describe('one live session per server id', () => {
  it('is audited for both, in one process', () => {
    const first = new FakeAgent('s1', { connection: proving(1) }).connect(auth.plane);
    const connection = new FakeConnection(identityOf('agent', 's1', instance(1)), '10.0.0.2');
    new FakeAgent('s1', { connection }).connect(auth.plane);
    expect((first.goodbye as AuthGoodbye).reason).toBe(GoodbyeReason.SUPERSEDED);
    expect(audit.records.map(({ code, result, remoteAddress }) => [code, result, remoteAddress])).toEqual([
      ['agent.superseded', 'refused', '10.0.0.1'],
      ['agent.superseded', 'ok', '10.0.0.2'],
    ]);
  });

  it('is audited for both, across processes, by the one that held the older', async () => {
    const other = stack.use(testPlane(stores, { authId: 'auth-2', audit: new RecordingAudit() }));
    const first = new FakeAgent('s1', { connection: proving(1) }).connect(auth.plane);
    await inState('unmatched', /./);
    const second = new FakeAgent('s1', { connection: proving(1) }).connect(other.plane);
    await until(() => first.ended === 'closed', 'the first one’s end');
    expect(audit.of('agent.superseded')).toMatchObject([
      { result: 'refused', details: { by_auth: 'auth-2', by_session: second.session?.sessionId } },
      { result: 'ok', details: { auth: 'auth-2', session: second.session?.sessionId } },
    ]);
  });
});

describe('what an agent may not do', () => {
  it.each([
    ['heartbeat without end', 'heartbeats_refused_total', (agent: FakeAgent) => agent.heartbeat()],
    [
      'answer what nobody asked',
      'stray_messages_refused_total',
      (agent: FakeAgent) => agent.say({ case: 'labelsAck', value: { nonce: 'x' } }),
    ],
    ['say what nobody knows', 'stray_messages_refused_total', (agent: FakeAgent) => agent.say(undefined)],
  ])('%s', async (_, counter, act) => {
    const agent = new FakeAgent('s1', { connection: proving(1) }).connect(auth.plane);
    for (let time = 0; time < 10; time += 1) act(agent);
    expect(agent.ended).toBe('open');
    for (let time = 0; time < 500; time += 1) act(agent);
    expect((agent.goodbye as AuthGoodbye).reason).toBe(GoodbyeReason.REFUSED);
    expect(await metric(auth.registry, counter)).toBe(1);
    const [event, ...others] = audit.of('agent.refused');
    expect(event).toMatchObject({ result: 'refused', actor: 'agent/s1' });
    expect(event?.reason).toMatch(/^too many/);
    expect(others).toEqual([]);
  });

  it('speak for another server id', () => {
    const agent = new FakeAgent('s1', { connection: proving(1) }).connect(auth.plane, 's2');
    expect(agent.ended).toBe('denied');
    expect(audit.records).toMatchObject([
      { code: 'agent.refused', actor: 'agent/s1', details: { claimed: 's2' } },
    ]);
  });

  it('say anything before its hello', () => {
    const agent = new FakeAgent('s1', { connection: proving(1) });
    const { connection } = agent.options;
    const peer = connection?.identity?.peer ?? { role: 'agent', name: 's1', proof: 'claimed' };
    agent.session = auth.plane.connect(agent, { peer, connection });
    agent.heartbeat();
    expect((agent.goodbye as AuthGoodbye).reason).toBe(GoodbyeReason.REFUSED);
    expect(audit.records).toMatchObject([{ code: 'agent.refused', result: 'refused', actor: 'agent/s1' }]);
  });

  it('set labels of a namespace that is not its own', () => {
    new FakeAgent('s1', { connection: proving(1), own: { 'dynamic/team': 'x' } }).connect(auth.plane);
    expect(audit.records).toMatchObject([{ code: 'agent.refused', result: 'refused' }]);
  });
});

describe('a lock', () => {
  it('cuts a live session on another process, whose node is then shown as disconnected', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'web' }));
    const connection = proving(1);
    const agent = new FakeAgent('s1', { connection }).connect(auth.plane);
    connection.onCut = () => agent.session?.end();
    await labelled(agent, web);
    const [here, there] = [lockRegistry(), lockRegistry()];
    await until(() => here.loaded && there.loaded, 'the locks');
    stack.use(enforceLocks({ locks: there, connections: () => [connection], audit, log: silentLogger() }));
    const target = parseLockId(`instance:123456789012/eu-central-1/${instance(1).instance}`);
    if (target === undefined) throw new Error('no target');
    const draft = { target, message: 'stolen', ttlMs: undefined, createdBy: 'operator/ada' };
    await here.add(draft, new AbortController().signal);
    await until(async () => (await nodeRecord(stores.nodes, 's1'))?.connected === false, 'disconnected');
    expect(auth.plane.connectedAgents).toBe(0);
    expect(audit.of('lock.enforced')).toMatchObject([{ actor: 'agent/s1', remoteAddress: '10.0.0.1' }]);
  });
});

function lockRegistry(): ReturnType<typeof createLocks> {
  const store = stores.security;
  const locks = createLocks({ store, audit, log: silentLogger(), registry: new Registry() });
  const stop = new AbortController();
  const running = locks.run(stop.signal);
  stack.defer(async () => {
    stop.abort(new Error('the test is over'));
    await running;
  });
  return locks;
}
