import { X509Certificate, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identifyCertificate } from '@tagplane/identity';
import { ConfigError, Registry } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { StoreUnavailableError } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { RenewingPeer, openTestCa, running, subjectOf } from '../testing/test-ca.ts';
import { metric, overridden, until } from '../testing/test-stores.ts';
import { CA_KEY } from './ca-record.ts';
import type { ClusterAuthority } from './cluster-authority.ts';

const { signal } = new AbortController();
const gently = { force: false, signal };

let stack: AsyncDisposableStack;
let store: Store & AsyncDisposable;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  store = stack.use(openEmbeddedStore({ path: ':memory:', kind: 'security', expiryIntervalMs: 50 }));
});
afterEach(() => stack.disposeAsync());

function run(authority: ClusterAuthority): ClusterAuthority {
  stack.use(running(authority));
  return authority;
}

/** What keeps a store from answering, and what it was asked. */
function switchable(): { readonly store: Store; away: boolean } {
  const fail = <Result>(call: () => Promise<Result>): Promise<Result> =>
    state.away ? Promise.reject(new StoreUnavailableError('the store is away')) : call();
  const state = {
    away: false,
    store: overridden(store, {
      put: (items, options) => fail(() => store.put(items, options)),
      getMany: (keys, options) => fail(() => store.getMany(keys, options)),
      range: (range, options) => fail(() => store.range(range, options)),
      async *watch(options) {
        for await (const batch of store.watch(options)) {
          if (state.away) throw new StoreUnavailableError('the store is away');
          yield batch;
        }
      },
    }),
  };
  return state;
}

describe('the first start', () => {
  it('makes one authority, whoever comes first, and audits it once', async () => {
    const audit = new RecordingAudit();
    const processes = await Promise.all(
      ['a1', 'a2', 'a3'].map((authId) => openTestCa({ store, authId, audit })),
    );
    const pins = new Set(processes.map((authority) => authority.pins().join()));
    expect(pins.size).toBe(1);
    expect(audit.records).toEqual([
      { code: 'ca.created', result: 'ok', details: { cluster: 'test', pin: [...pins][0] } },
    ]);
  });

  it('is the only one that makes an authority', async () => {
    const first = await openTestCa({ store });
    const audit = new RecordingAudit();
    const again = await openTestCa({ store, audit });
    expect(again.pins()).toEqual(first.pins());
    expect(again.trust()).toEqual(first.trust());
    expect(again.serverCredentials().ticketKeys).toEqual(first.serverCredentials().ticketKeys);
    expect(audit.records).toEqual([]);
  });

  it('waits for the store', async () => {
    const state = switchable();
    state.away = true;
    const opening = openTestCa({ store: state.store });
    await new Promise((resolve) => setTimeout(resolve, 50));
    state.away = false;
    expect((await opening).trust().generation).toBe(1);
  });

  it('fails with another key, or for another cluster, and says which setting is wrong', async () => {
    await openTestCa({ store });
    const otherKey = openTestCa({ store, sealingKey: randomBytes(32) });
    await expect(otherKey).rejects.toThrow(ConfigError);
    await expect(otherKey).rejects.toThrow(/^ca\.key_file: not the key that/);
    const otherCluster = openTestCa({ store, cluster: 'other' });
    await expect(otherCluster).rejects.toThrow(
      new ConfigError('cluster: the store holds the authority of the cluster test'),
    );
  });

  it('fails on a record that it cannot read', async () => {
    await store.put([{ key: CA_KEY, value: '{"version":9}', ttlMs: undefined }], { signal });
    await expect(openTestCa({ store })).rejects.toThrow('the stored authority cannot be read');
  });
});

describe('certificates', () => {
  it('are issued and identified by any of the processes', async () => {
    const registry = new Registry();
    const [a1, a2] = [await openTestCa({ store, registry }), await openTestCa({ store, authId: 'a2' })];
    const { issued, identity } = await a1.issue(subjectOf('agent', 'web-1'));
    await a1.issue(subjectOf('agent', 'web-1'), 'renew');
    const certificate = new X509Certificate(issued.certificates[0] ?? new Uint8Array());
    expect(a2.identify(certificate)).toEqual({ ok: true, ...identity });
    const stranger = await openTestCa({
      store: stack.use(openEmbeddedStore({ path: ':memory:', kind: 'x' })),
    });
    expect(stranger.identify(certificate).ok).toBe(false);
    expect(await metric(registry, 'certificates_issued_total{role="agent",kind="join"}')).toBe(1);
    expect(await metric(registry, 'certificates_issued_total{role="agent",kind="renew"}')).toBe(1);
    expect(await metric(registry, 'ca_generation')).toBe(1);
    expect(await metric(registry, 'ca_phase{phase="stable"}')).toBe(1);
    expect(await metric(registry, 'certificate_expires_seconds')).toBeGreaterThan(43_000);
    expect(await metric(registry, 'ca_expires_seconds')).toBeGreaterThan(315_000_000);
  });

  it('of nobody are refused', async () => {
    const authority = await openTestCa({ store });
    await expect(authority.issue(subjectOf('agent', 'a/b'))).rejects.toThrow(RangeError);
  });

  it('of the process itself that have ended are a problem', async () => {
    let now = Date.now();
    const authority = await openTestCa({ store, now: () => now });
    expect(authority.problem).toBeUndefined();
    now += 12 * 3_600_000;
    expect(authority.problem).toBe('the own certificate has ended');
  });
});

describe('a rotation', () => {
  interface Process {
    readonly authority: ClusterAuthority;
    readonly peers: RenewingPeer[];
  }

  /** An auth process whose peers follow when told, or stay behind. */
  async function start(authId: string): Promise<Process> {
    const peers: RenewingPeer[] = [];
    const authority = run(await openTestCa({ store, authId, connections: () => peers }));
    peers.push(await RenewingPeer.of(authority, 'agent', `agent-of-${authId}`));
    return { authority, peers };
  }

  async function everybodyFollows(processes: readonly Process[], generation: number): Promise<void> {
    for (const { authority, peers } of processes) {
      await until(() => authority.trust().generation === generation, 'the process knows of the step');
      for (const peer of peers) await peer.follow(authority);
    }
  }

  async function unblocked(authority: ClusterAuthority): Promise<void> {
    await until(async () => (await authority.status(signal)).blocked === undefined, 'all follow');
  }

  it('goes through its phases while each process and peer follows, and nobody is left behind', async () => {
    const [one, two] = [await start('a1'), await start('a2')];
    const both = [one, two];
    const { authority } = one;
    const [oldPin] = authority.pins();
    await until(async () => (await authority.status(signal)).followers.length === 2, 'both report');

    expect(await authority.rotate('trust', gently)).toMatchObject({ ok: true });
    expect(await two.authority.rotate('sign', gently)).toMatchObject({ ok: false, why: 'blocked' });
    await everybodyFollows(both, 2);
    await unblocked(two.authority);
    expect(authority.pins()[0]).toBe(oldPin);
    const newPin = authority.pins()[1];

    expect(await two.authority.rotate('sign', gently)).toMatchObject({ ok: true });
    expect(await authority.rotate('drop', gently)).toMatchObject({ ok: false, why: 'blocked' });
    const status = await authority.status(signal);
    expect(status.oldCertificatesUntil).toBe(status.record.phaseSince + 12 * 3_600_000);
    await everybodyFollows(both, 3);
    await unblocked(authority);
    for (const { peers } of both) expect(peers[0]?.identity.issuer).toBe(newPin);

    expect(await authority.rotate('drop', gently)).toMatchObject({ ok: true });
    await everybodyFollows(both, 4);
    for (const each of both) {
      expect(each.authority.pins()).toEqual([newPin]);
      expect(each.authority.serverCredentials().authorities).toHaveLength(1);
    }
    expect(one.authority.serverCredentials().ticketKeys).toEqual(
      two.authority.serverCredentials().ticketKeys,
    );
    expect((await authority.status(signal)).record).toMatchObject({ phase: 'stable', generation: 4 });
  });

  it('waits for who does not follow, names them, and goes on when forced', async () => {
    const { authority, peers } = await start('a1');
    await authority.rotate('trust', gently);
    await until(async () => {
      const { followers } = await authority.status(signal);
      return followers[0]?.generation === 2;
    }, 'the process reports');
    const blocked = await authority.rotate('sign', gently);
    expect(blocked).toEqual({
      ok: false,
      why: 'blocked',
      problem: '1 of 1 peers do not hold the present trust bundle yet',
    });
    const { followers } = await authority.status(signal);
    expect(followers).toMatchObject([
      { peers: 1, trusting: 0, waitingFor: ['spiffe://test/agent/agent-of-a1'] },
    ]);
    expect(await authority.rotate('sign', { ...gently, force: true })).toMatchObject({ ok: true });
    expect(peers[0]?.cuts).toEqual([]);
  });

  it('can be called off: back to the old authority, step by step', async () => {
    const { authority, peers } = await start('a1');
    const pins = authority.pins();
    const force = { ...gently, force: true };
    await authority.rotate('trust', force);
    await authority.rotate('sign', force);
    await peers[0]?.follow(authority);
    expect(await authority.rotate('cancel', gently)).toMatchObject({
      ok: true,
      status: { record: { phase: 'trusting' } },
    });
    expect(await authority.rotate('cancel', gently)).toMatchObject({ ok: false, why: 'blocked' });
    await everybodyFollows([{ authority, peers }], 4);
    await until(async () => (await authority.rotate('cancel', gently)).ok, 'nobody needs the new one');
    expect(authority.pins()).toEqual(pins);
    expect(await authority.rotate('cancel', gently)).toMatchObject({ ok: false, why: 'misplaced' });
  });

  it('takes one step when two are asked for at once', async () => {
    const [one, two] = [await start('a1'), await start('a2')];
    const results = await Promise.all([
      one.authority.rotate('trust', gently),
      two.authority.rotate('trust', gently),
    ]);
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    await everybodyFollows([one, two], 2);
    expect(one.authority.pins()).toEqual(two.authority.pins());
  });

  it('is found as it stands by a process that starts in the middle of it', async () => {
    const { authority } = await start('a1');
    await authority.rotate('trust', { ...gently, force: true });
    await authority.rotate('sign', { ...gently, force: true });
    const late = await openTestCa({ store, authId: 'late' });
    expect(late.pins()).toEqual(authority.pins());
    expect(late.serverCredentials().certificates).toHaveLength(4);
  });

  it('is told to listeners once for each step, when it can be seen', async () => {
    const { authority } = await start('a1');
    const seen: number[] = [];
    const off = authority.onChange(() => {
      const { authorities } = authority.serverCredentials();
      expect(authorities).toHaveLength(authority.pins().length);
      seen.push(authority.trust().generation);
    });
    await authority.rotate('trust', gently);
    await authority.rotate('cancel', { ...gently, force: true });
    off();
    await authority.rotate('trust', gently);
    expect(seen).toEqual([2, 3]);
  });

  it('takes the report of a process that stops away with it', async () => {
    const other = new AsyncDisposableStack();
    const authority = run(await openTestCa({ store }));
    other.use(running(await openTestCa({ store, authId: 'leaving' })));
    const ids = async (): Promise<string[]> =>
      (await authority.status(signal)).followers.map(({ authId }) => authId);
    await until(async () => (await ids()).length === 2, 'both report');
    await other.disposeAsync();
    expect(await ids()).toEqual(['auth-1']);
  });
});

describe('a store that fails', () => {
  it('leaves the last known authority at work, which is caught up with later', async () => {
    const state = switchable();
    const away = run(await openTestCa({ store: state.store, authId: 'away' }));
    const there = run(await openTestCa({ store }));
    state.away = true;
    await expect(away.status(signal)).rejects.toThrow(StoreUnavailableError);
    await there.rotate('trust', { ...gently, force: true });
    const { issued } = await away.issue(subjectOf('agent', 'web-1'));
    expect(issued.generation).toBe(1);
    state.away = false;
    await until(() => away.trust().generation === 2, 'it has caught up');
  });

  it.each([
    ['deleted', () => store.delete([{ key: CA_KEY }], { signal })],
    ['replaced by an older state', restoreOldState],
  ])('gets the record back that was %s', async (_how, lose) => {
    const authority = run(await openTestCa({ store }));
    const before = await live();
    await authority.rotate('trust', { ...gently, force: true });
    const pins = authority.pins();
    await lose(before);
    await until(async () => {
      const other = await openTestCa({ store, authId: 'other' }).catch(() => undefined);
      return other?.pins().join() === pins.join();
    }, 'the record is back');
    expect(await authority.rotate('sign', { ...gently, force: true })).toMatchObject({ ok: true });
  });

  it('and was given another authority meanwhile gets the first one back, and all go over to it', async () => {
    const first = run(await openTestCa({ store }));
    const [pin] = first.pins();
    const empty = stack.use(openEmbeddedStore({ path: ':memory:', kind: 'security' }));
    const upstart = await openTestCa({ store: empty, authId: 'upstart', now: () => Date.now() + 60_000 });
    expect(upstart.pins()).not.toEqual([pin]);
    const [found] = await empty.getMany([CA_KEY], { signal });
    if (found?.state !== 'live') throw new Error('no record');
    await store.put([{ key: CA_KEY, value: found.value, ttlMs: undefined }], { signal });
    await until(
      async () => (await openTestCa({ store, authId: 'late' })).pins()[0] === pin,
      'it is corrected',
    );
    expect(first.pins()).toEqual([pin]);
  });

  it('holds something that cannot be used: the last known stands, and it is a problem until it is gone', async () => {
    const authority = run(await openTestCa({ store }));
    const good = await live();
    await store.put([{ key: CA_KEY, value: 'garbage', ttlMs: undefined }], { signal });
    await until(() => authority.problem !== undefined, 'it is noticed');
    expect(authority.problem).toBe('the stored authority cannot be read: not JSON');
    await authority.issue(subjectOf('agent', 'web-1'));
    await store.put([{ key: CA_KEY, value: good, ttlMs: undefined }], { signal });
    await until(() => authority.problem === undefined, 'it is good again');
  });

  async function live(): Promise<string> {
    const [found] = await store.getMany([CA_KEY], { signal });
    if (found?.state !== 'live') throw new Error('no record');
    return found.value;
  }

  async function restoreOldState(value: string): Promise<void> {
    await store.put([{ key: CA_KEY, value, ttlMs: undefined }], { signal });
  }
});

describe('the credentials of the server', () => {
  it('change with the signing authority and stay good for who trusts only the old one', async () => {
    const authority = await openTestCa({ store });
    const before = authority.serverCredentials();
    const [old] = before.authorities.map((pem) => new X509Certificate(pem));
    await authority.rotate('trust', { ...gently, force: true });
    await authority.rotate('sign', { ...gently, force: true });
    const after = authority.serverCredentials();
    expect(after.ticketKeys).not.toEqual(before.ticketKeys);
    const [leaf, cross] = after.certificates.map((pem) => new X509Certificate(pem));
    if (leaf === undefined || cross === undefined || old === undefined) throw new Error('no chain');
    expect(cross.verify(old.publicKey)).toBe(true);
    const trust = { cluster: 'test', authorities: [cross] };
    expect(identifyCertificate(leaf, trust, Date.now())).toMatchObject({
      ok: true,
      peer: { name: 'auth-1' },
    });
  });
});
