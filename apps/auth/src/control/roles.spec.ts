import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createStatementSigner, createKey, readStatement, verifyStatement } from '@tagplane/credentials';
import type { StatementSigner } from '@tagplane/credentials';
import type { AccessRole } from '@tagplane/access';
import type { Signature } from '@tagplane/protocol';
import { X509Certificate } from 'node:crypto';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import { RoleSets } from '../roles/role-sets.ts';
import type { RoleSource } from '../roles/create-roles.ts';
import { FakeAgent } from '../testing/fake-agent.ts';
import { discovered, put } from '../testing/fleet.ts';
import { role } from '../testing/roles.ts';
import { openTestCa } from '../testing/test-ca.ts';
import { metric, nodeRecord, testPlane, testStores, until } from '../testing/test-plane.ts';
import type { TestPlane, TestStores } from '../testing/test-plane.ts';
import type { ControlPlaneOptions } from './control-plane.ts';
import { Statements } from './statements.ts';

/** Roles that a test writes. */
class TestRoles implements RoleSource {
  readonly sets = new RoleSets();
  readonly #listeners = new Set<() => void>();

  get current() {
    return this.sets.current;
  }

  get(revision: string) {
    return this.sets.get(revision);
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  write(...roles: readonly AccessRole[]): string {
    if (this.sets.take(roles)) for (const listener of this.#listeners) listener();
    return this.sets.current?.revision ?? '';
  }
}

let stores: TestStores;
let roles: TestRoles;
let now: number;
const planes: TestPlane[] = [];

beforeEach(() => {
  stores = testStores();
  roles = new TestRoles();
  now = Date.now();
});
afterEach(async () => {
  for (const plane of planes.splice(0)) await plane[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});

function start(options: Partial<ControlPlaneOptions> = {}): TestPlane {
  const plane = testPlane(stores, { roles, now: () => now, ...options });
  planes.push(plane);
  return plane;
}

const recordOf = (agent: FakeAgent) => nodeRecord(stores.nodes, agent.serverId);
const holds = (agent: FakeAgent, names: string) =>
  until(() => agent.roles !== undefined && agent.roleNames === names, `${agent.serverId} has ${names}`);

describe('roles on the control stream', () => {
  it('go to an agent with its hello, whether or not it has labels, and into its record', async () => {
    const revision = roles.write(role('dev'), role('ops'));
    const { plane, registry } = start();
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev ops');
    expect(agent.log).toContain('roles replace');
    await until(async () => (await recordOf(agent))?.rolesRevision === revision, 'in the record');
    expect((await recordOf(agent))?.sync.state).toBe('unmatched');
    expect(await metric(registry, 'role_pushes_total{kind="replace"}')).toBe(1);
    expect(await metric(registry, 'role_acks_total')).toBe(1);
    expect(await metric(registry, 'agents_behind_on_roles')).toBe(0);
  });

  it('go to every agent when they change, only what differs', async () => {
    roles.write(role('dev'), role('ops'));
    const { plane, registry } = start();
    const agents = Array.from({ length: 50 }, (_, index) => new FakeAgent(`web-${index}`).connect(plane));
    for (const agent of agents) await holds(agent, 'dev ops');
    roles.write(role('dev', 'root'), role('web'));
    for (const agent of agents) await holds(agent, 'dev web');
    const last = agents[7]?.roleUpdates.at(-1);
    expect(last?.change).toMatchObject({
      case: 'apply',
      value: { removed: ['ops'], put: [{ name: 'dev' }, { name: 'web' }] },
    });
    expect(agents.map(({ roleUpdates }) => roleUpdates.length)).toEqual(agents.map(() => 2));
    roles.write();
    for (const agent of agents) await holds(agent, '');
    expect(await metric(registry, 'role_pushes_total{kind="apply"}')).toBe(100);
    expect(await metric(registry, 'agents_behind_on_roles')).toBe(0);
  });

  it('go to an agent that comes back only as far as it lacks them', async () => {
    roles.write(role('dev'));
    const { plane } = start();
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev');
    agent.session?.end();
    agent.received.length = 0;
    agent.connect(plane);
    const other = new FakeAgent('web-2').connect(plane);
    await holds(other, 'dev');
    expect(agent.roleUpdates).toEqual([]);
    agent.session?.end();
    roles.write(role('dev'), role('ops'));
    agent.connect(plane);
    await holds(agent, 'dev ops');
    expect(agent.log).toContain('roles apply');
  });

  it('go to one that says it has lost them, or holds them for less long than it should', async () => {
    roles.write(role('dev'));
    const { plane } = start();
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev');
    await until(() => agent.session?.behindOnRoles === false, 'acknowledged');
    agent.roles = undefined;
    agent.heartbeat();
    await holds(agent, 'dev');
    await until(() => agent.session?.behindOnRoles === false, 'acknowledged again');
    agent.forgetsRolesIn(1_000);
    agent.heartbeat();
    await until(() => agent.log.at(-1) === 'roles renew', 'a renewal');
  });

  it('are renewed before they run out', async () => {
    roles.write(role('dev'));
    const { plane } = start();
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev');
    await until(() => agent.session?.behindOnRoles === false, 'acknowledged');
    now += 11 * 3_600_000;
    await until(() => agent.log.includes('roles renew'), 'a renewal');
  });

  it('are not for agents that do not decide: they are sent none, and stay', async () => {
    roles.write(role('dev'));
    const { plane, registry } = start();
    const old = new FakeAgent('old', { decides: false }).connect(plane);
    await holds(new FakeAgent('new').connect(plane), 'dev');
    roles.write(role('ops'));
    await until(async () => (await metric(registry, 'role_acks_total')) === 2, 'the other has them');
    old.heartbeat();
    expect(old.roleUpdates).toEqual([]);
    expect(old.ended).toBe('open');
    expect(await metric(registry, 'agents_behind_on_roles')).toBe(0);
  });

  it('are not sent before it is known which there are', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'a' }));
    const { plane, registry } = start();
    const agent = new FakeAgent('web-1', { runsOn: 1 }).connect(plane);
    await until(() => agent.labels['aws/Name'] === 'a', 'labels');
    expect(agent.roleUpdates).toEqual([]);
    expect(await metric(registry, 'role_push_queue_length')).toBe(1);
    expect(await metric(registry, 'agents_behind_on_roles')).toBe(1);
    await until(async () => (await recordOf(agent))?.sync.state === 'synced', 'synced by its labels');
    roles.write(role('dev'));
    await holds(agent, 'dev');
  });

  it('that stay unanswered are sent again, seen in the record, and end the stream', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'a' }));
    const { plane } = start();
    const agent = new FakeAgent('web-1', { runsOn: 1 }).connect(plane);
    await until(async () => (await recordOf(agent))?.sync.state === 'synced', 'synced');
    agent.options = { ...agent.options, answers: false };
    roles.write(role('dev'));
    await until(() => agent.roleUpdates.length === 1, 'sent');
    now += 1_000;
    await until(async () => (await recordOf(agent))?.sync.state === 'pending', 'pending');
    expect((await recordOf(agent))?.sync.reason).toMatch(/roles/);
    now += 10_000;
    await until(() => agent.roleUpdates.length === 2, 'sent again');
    now += 20_000;
    await until(() => agent.roleUpdates.length === 3, 'sent a third time');
    now += 40_000;
    await until(() => agent.ended === 'closed', 'cut off');
    expect(agent.goodbye).toMatchObject({ message: 'updates of roles stay unanswered' });
  });

  it('that are refused are counted, said why, and tried again later', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'a' }));
    roles.write(role('dev'));
    const { plane, registry } = start();
    const agent = new FakeAgent('web-1', { runsOn: 1, refusesRoles: true }).connect(plane);
    await until(async () => (await recordOf(agent))?.sync.state === 'pending', 'pending');
    expect((await recordOf(agent))?.sync.reason).toBe('the agent refused its roles: it does not want to');
    expect(await metric(registry, 'role_nacks_total')).toBe(1);
    agent.options = { ...agent.options, refusesRoles: false };
    now += 60_000;
    await holds(agent, 'dev');
    await until(async () => (await recordOf(agent))?.sync.state === 'synced', 'synced');
  });

  it('that nobody was sent are not acknowledged', async () => {
    roles.write(role('dev'));
    const { plane, registry } = start();
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev');
    agent.say({ case: 'rolesAck', value: { nonce: 'r9' } });
    agent.say({ case: 'rolesNack', value: { nonce: 'r9', reason: '' } });
    expect(await metric(registry, 'stale_answers_total{answer="roles_ack"}')).toBe(1);
    expect(await metric(registry, 'stale_answers_total{answer="roles_nack"}')).toBe(1);
    expect(agent.roleNames).toBe('dev');
  });
});

describe('what agents keep', () => {
  let authority: ClusterAuthority;

  beforeEach(async () => {
    authority = await openTestCa({ store: stores.security });
  });

  const trust = () => ({
    authorities: authority.trust().authorities.map((der) => new X509Certificate(der).toString()),
  });

  function verified(signature: Signature | undefined, certificates: readonly Uint8Array[]) {
    const { statement = new Uint8Array(), signature: bytes = new Uint8Array(), proof } = signature ?? {};
    return verifyStatement(
      { statement, signature: bytes, certificates, proof },
      { cluster: 'test', trust: trust(), now },
    );
  }

  function signaturesOf(agent: FakeAgent): (Signature | undefined)[] {
    return agent.received.flatMap(({ message }) =>
      message.case === 'updateLabels' || message.case === 'updateRoles' ? [message.value.signature] : [],
    );
  }

  it('is signed by this auth process, with certificates until they are known to be there', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'a' }, { observedAt: now - 5_000 }));
    const revision = roles.write(role('dev'));
    const statements = new Statements({ cluster: 'test', signer: () => authority.signer() });
    const { plane } = start({ statements });
    const agent = new FakeAgent('web-1', { runsOn: 1 }).connect(plane);
    await holds(agent, 'dev');
    await until(() => agent.labels['aws/Name'] === 'a' && agent.session?.behindOnRoles === false, 'both');
    const [first] = signaturesOf(agent);
    const certificates = first?.certificates ?? [];
    expect(certificates).toHaveLength(1);
    const read = signaturesOf(agent).map((signature) => verified(signature, certificates));
    expect(read.map(({ ok }) => ok)).toEqual([true, true]);
    const stated = read.flatMap((each) => (each.ok ? [each.statement] : []));
    expect(stated.find(({ kind }) => kind === 'roles')).toMatchObject({ revision, remainingMs: 86_400_000 });
    const labels = stated.find(({ kind }) => kind === 'labels');
    expect(labels).toMatchObject({ serverId: 'web-1', revision: agent.held?.revision });
    expect(labels?.kind === 'labels' && [...labels.lifetimes.keys()]).toEqual(['aws/']);
    // From here on without certificates.
    await put(stores.serverInfos, discovered(1, { Name: 'b' }));
    roles.write(role('ops'));
    await until(() => agent.labels['aws/Name'] === 'b' && agent.roleNames === 'ops', 'both changed');
    const later = signaturesOf(agent).slice(2);
    expect(later.map((signature) => signature?.certificates)).toEqual([[], []]);
    expect(later.map((signature) => verified(signature, certificates).ok)).toEqual([true, true]);
  });

  it('is signed once for all agents that are told something at a time, and apart for those that ask', async () => {
    const counts = { single: 0, batches: 0 };
    const signer = authority.signer();
    const counting: StatementSigner = {
      ...signer,
      sign: (statement) => {
        if (Buffer.from(statement).toString().startsWith('tagplane-labels')) counts.single += 1;
        return signer.sign(statement);
      },
      signBatch: (statements) => {
        counts.batches += 1;
        return signer.signBatch(statements);
      },
    };
    const { plane } = start({ statements: new Statements({ cluster: 'test', signer: () => counting }) });
    const agents = [1, 2, 3, 4].map((n) =>
      new FakeAgent(`web-${n}`, { runsOn: n, takesBatches: n !== 4 }).connect(plane),
    );
    await Promise.all(
      agents.map((agent) => until(() => agent.session?.phase === 'synced', `${agent.serverId} at rest`)),
    );
    const certificates = authority.signer().certificates;
    const say = async (name: string): Promise<Signature[]> => {
      await put(stores.serverInfos, ...[1, 2, 3, 4].map((n) => discovered(n, { Name: name })));
      await Promise.all(agents.map((agent) => until(() => agent.labels['aws/Name'] === name, name)));
      return agents.flatMap((agent) => signaturesOf(agent).at(-1) ?? []);
    };
    await say('a');
    counts.single = counts.batches = 0;
    const said = await say('b');
    expect(said.map((signature) => verified(signature, certificates).ok)).toEqual([true, true, true, true]);
    expect(said.map(({ proof }) => proof?.hashes.length)).toEqual([2, 2, 2, undefined]);
    expect(counts).toEqual({ single: 1, batches: 1 });
  });

  it('names the set of a node that may have no labels, so that its absence is seen', () => {
    const statements = new Statements({ cluster: 'test', signer: () => authority.signer() });
    const empty = { labels: new Map<string, string>(), observedAt: undefined, expiresAt: undefined };
    const version = { revision: '', spans: { 'aws/': undefined, 'dynamic/': undefined } };
    const sets = { 'aws/': empty, 'dynamic/': undefined };
    const signed = statements.labels({ serverId: 'web-1', version, sets, now });
    expect(readStatement(signed.statement)).toMatchObject({
      lifetimes: new Map([['aws/', { ageMs: undefined, remainingMs: undefined }]]),
    });
  });

  it('is signed once a minute for all agents, anew by another certificate', () => {
    let signer: StatementSigner = authority.signer();
    let signatures = 0;
    const counting = (): StatementSigner => ({
      certificates: signer.certificates,
      issuer: signer.issuer,
      sign: (statement) => {
        signatures += 1;
        return signer.sign(statement);
      },
      signBatch: (statements) => signer.signBatch(statements),
    });
    const statements = new Statements({ cluster: 'test', signer: counting });
    const first = statements.roles('a', now);
    expect(statements.roles('a', now + 59_000)).toBe(first);
    expect(statements.roles('b', now + 59_000)).not.toBe(first);
    expect(statements.roles('b', now + 120_000).statement).not.toEqual(first.statement);
    signer = createStatementSigner({ privateKey: createKey().privateKey, certificates: [] });
    statements.roles('b', now + 120_000);
    expect(signatures).toBe(4);
  });

  it('brings its certificates again after they changed, or were refused', async () => {
    roles.write(role('dev'));
    let signer = authority.signer();
    const statements = new Statements({ cluster: 'test', signer: () => signer });
    const { plane } = start({ statements });
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev');
    const other = await openTestCa({ store: stores.security, authId: 'auth-2' });
    signer = other.signer();
    roles.write(role('ops'));
    await holds(agent, 'ops');
    expect(agent.roleUpdates.at(-1)?.signature?.certificates).toEqual(signer.certificates);
    agent.options = { refusesRoles: true };
    roles.write(role('web'));
    await until(() => agent.roleUpdates.length === 4, 'sent whole after a refused difference');
    expect(agent.roleUpdates.map(({ signature }) => signature?.certificates.length)).toEqual([1, 1, 0, 1]);
  });

  it('is signed anew under another authority, with the next heartbeat', async () => {
    await put(stores.serverInfos, discovered(1, { Name: 'a' }));
    roles.write(role('dev'));
    let issuer = 'old';
    const statements = new Statements({
      cluster: 'test',
      signer: () => ({ ...authority.signer(), issuer }),
    });
    const { plane } = start({ statements, trustGeneration: () => 7 });
    const agent = new FakeAgent('web-1', { runsOn: 1, trusts: 7 }).connect(plane);
    const settled = () =>
      until(() => agent.session?.phase === 'synced' && !agent.session.behindOnRoles, 'settled');
    await holds(agent, 'dev');
    await settled();
    agent.received.length = 0;
    agent.heartbeat();
    await settled();
    expect(agent.log).toEqual([]);
    issuer = 'new';
    agent.heartbeat();
    await until(() => agent.log.length >= 2, 'both said again');
    await settled();
    agent.heartbeat();
    await settled();
    expect([...agent.log].sort()).toEqual(['renew', 'roles renew']);
    // One that was away during a step of a rotation: nobody knows under which authority it keeps what it has.
    agent.session?.end();
    agent.options = { runsOn: 1, trusts: 6 };
    agent.connect(plane);
    await settled();
    agent.received.length = 0;
    agent.heartbeat();
    await until(() => agent.log.includes('renew') && agent.log.includes('roles renew'), 'both said again');
  });

  it('is not signed without TLS', async () => {
    roles.write(role('dev'));
    const { plane } = start();
    const agent = new FakeAgent('web-1').connect(plane);
    await holds(agent, 'dev');
    expect(agent.roleUpdates[0]?.signature).toBeUndefined();
  });
});
