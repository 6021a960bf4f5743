import { X509Certificate } from 'node:crypto';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKey, renewStatement, signStatement } from '@tagplane/credentials';
import type { NewKey } from '@tagplane/credentials';
import { parseInstanceKey } from '@tagplane/identity';
import {
  CaPhase,
  CaService,
  CaStep,
  IdentityService,
  connectionKey,
  identifyPeer,
  rpcOptions,
} from '@tagplane/protocol';
import type { PeerConnection } from '@tagplane/protocol';
import { silentLogger } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import { FakeConnection, identityOf } from '../testing/identities.ts';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { RenewingPeer, openTestCa, running, subjectOf } from '../testing/test-ca.ts';
import { until } from '../testing/test-stores.ts';
import { getCaStatus } from './get-ca-status.ts';
import { getTrust } from './get-trust.ts';
import { renewCertificate } from './renew-certificate.ts';
import { rotateCa } from './rotate-ca.ts';

let stack: AsyncDisposableStack;
let store: Store;
let audit: RecordingAudit;
let authority: ClusterAuthority;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  store = stack.use(openEmbeddedStore({ path: ':memory:', kind: 'security' }));
  audit = new RecordingAudit();
  authority = await openTestCa({ store });
});
afterEach(() => stack.disposeAsync());

interface Clients {
  readonly identity: Client<typeof IdentityService>;
  readonly ca: Client<typeof CaService>;
}

/** The calls of who is at the other end of this connection. */
function over(connection: PeerConnection | undefined): Clients {
  const transport = createRouterTransport(
    (router) => {
      router.service(IdentityService, {
        renewCertificate: renewCertificate({ authority, audit }),
        getTrust: getTrust(authority),
      });
      router.service(CaService, {
        getCaStatus: getCaStatus(authority),
        rotateCa: rotateCa({ authority, audit }),
      });
    },
    {
      router: {
        ...rpcOptions({ log: silentLogger(), authorise: () => undefined }),
        requestGate: (context) => {
          context.values.set(connectionKey, connection);
          identifyPeer(context);
        },
      },
    },
  );
  return { identity: createClient(IdentityService, transport), ca: createClient(CaService, transport) };
}

function request(id: string, key: NewKey = createKey()): { publicKey: Uint8Array; possession: Uint8Array } {
  const { publicKey, privateKey } = key;
  return { publicKey, possession: signStatement(renewStatement({ id, publicKey }), privateKey) };
}

describe('RenewCertificate', () => {
  it('gives the same identity for the new key, and keeps the connection', async () => {
    const instance = parseInstanceKey({
      account: '123456789012',
      region: 'eu-central-1',
      instance: 'i-0abcdef1234567890',
    });
    const { identity } = await authority.issue({ ...subjectOf('agent', 'web-1'), instance });
    const peer = new RenewingPeer(identity);
    const key = createKey();
    const { issued } = await over(peer).identity.renewCertificate(request(identity.id, key));
    const certificate = new X509Certificate(issued?.certificates[0] ?? new Uint8Array());
    expect(authority.identify(certificate)).toMatchObject({ ok: true, id: identity.id, peer: { instance } });
    expect(certificate.publicKey.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(key.publicKey));
    expect(issued).toMatchObject({ identity: identity.id, awsInstance: { instanceId: instance?.instance } });
    expect(issued?.trust?.generation).toBe(1n);
    expect(peer.identity).not.toBe(identity);
    expect(peer.identity.id).toBe(identity.id);
    expect(audit.records).toMatchObject([
      {
        code: 'certificate.renewed',
        result: 'ok',
        actor: 'agent/web-1',
        remoteAddress: '192.0.2.7',
        subjects: [identity.id],
      },
    ]);
  });

  it('is for who has a certificate', async () => {
    const wanted = request('spiffe://test/agent/web-1');
    for (const connection of [undefined, new FakeConnection(undefined)]) {
      await expect(over(connection).identity.renewCertificate(wanted)).rejects.toThrow('[unauthenticated]');
    }
    expect(audit.records).toEqual([]);
  });

  it.each<[string, (id: string) => { publicKey: Uint8Array; possession: Uint8Array }]>([
    ['for another identity', () => request('spiffe://test/agent/web-2')],
    ['by another key', (id) => ({ ...request(id), publicKey: createKey().publicKey })],
    ['of nothing', (id) => ({ ...request(id), possession: new Uint8Array([1]) })],
    ['by no key', (id) => ({ ...request(id), publicKey: new Uint8Array([1]) })],
  ])('refuses a signature %s', async (_what, make) => {
    const peer = await RenewingPeer.of(authority);
    const { identity } = peer;
    const renewed = over(peer).identity.renewCertificate(make(identity.id));
    await expect(renewed).rejects.toThrow('[invalid_argument] the signature is not one of the key');
    expect(peer.identity).toBe(identity);
    expect(audit.records).toMatchObject([
      { code: 'certificate.refused', result: 'refused', actor: 'agent/web-1' },
    ]);
  });

  it('makes no certificate of an auth service', async () => {
    const peer = await RenewingPeer.of(authority, 'auth', 'auth-9');
    const renewed = over(peer).identity.renewCertificate(request(peer.identity.id));
    await expect(renewed).rejects.toThrow('[permission_denied]');
    expect(audit.of('certificate.refused')).toHaveLength(1);
  });
});

describe('GetTrust', () => {
  it('gives the bundle, notes what the caller holds, and says when to renew', async () => {
    const peer = await RenewingPeer.of(authority, 'discovery', 'eu');
    const { identity } = over(peer);
    const force = { force: true, signal: new AbortController().signal };
    peer.trustGeneration = 0;
    expect(await identity.getTrust({ heldGeneration: 1n })).toMatchObject({
      trust: { generation: 1n },
      renew: false,
    });
    expect(peer.trustGeneration).toBe(1);
    await authority.rotate('trust', force);
    const trusting = await identity.getTrust({ heldGeneration: 1n });
    expect([trusting.trust?.authorities.length, trusting.renew]).toEqual([2, false]);
    await authority.rotate('sign', force);
    expect(await identity.getTrust({ heldGeneration: 2n })).toMatchObject({
      trust: { generation: 3n },
      renew: true,
    });
    await peer.follow(authority);
    expect(await identity.getTrust({ heldGeneration: 3n })).toMatchObject({ renew: false });
    expect(peer.trustGeneration).toBe(3);
  });

  it('also for who is not on a connection of its own', async () => {
    expect(await over(undefined).identity.getTrust({})).toMatchObject({
      trust: { generation: 1n },
      renew: false,
    });
  });
});

describe('RotateCa and GetCaStatus', () => {
  const admin = new FakeConnection(identityOf('operator', 'admin'), '198.51.100.1');

  it('take one step, audited, and show where it led', async () => {
    stack.use(running(authority));
    const { ca } = over(admin);
    const before = await ca.getCaStatus({});
    expect(before).toMatchObject({ cluster: 'test', phase: CaPhase.STABLE, generation: 1n, blocked: '' });
    expect(before.oldCertificatesUntil).toBeUndefined();
    const { status } = await ca.rotateCa({ step: CaStep.TRUST });
    expect(status).toMatchObject({ phase: CaPhase.TRUSTING, generation: 2n });
    expect(status?.authorities.map(({ pin, signing }) => [pin, signing])).toEqual([
      [authority.pins()[0], true],
      [authority.pins()[1], false],
    ]);
    await until(async () => (await ca.getCaStatus({})).blocked === '', 'this process follows');
    expect((await ca.getCaStatus({})).followers).toMatchObject([
      { authId: 'auth-1', following: true, peers: 0 },
    ]);
    await ca.rotateCa({ step: CaStep.SIGN });
    expect((await ca.getCaStatus({})).oldCertificatesUntil).toBeDefined();
    expect(audit.records.map(({ details }) => details)).toEqual([
      { step: 'trust', forced: 'false', phase: 'trusting', generation: '2' },
      { step: 'sign', forced: 'false', phase: 'signing', generation: '3' },
    ]);
    expect(audit.records[0]).toMatchObject({
      code: 'ca.rotated',
      result: 'ok',
      actor: 'operator/admin',
      remoteAddress: '198.51.100.1',
    });
  });

  it.each([
    [CaStep.SIGN, 'no new authority is trusted yet'],
    [CaStep.DROP, 'no new authority signs yet'],
    [CaStep.CANCEL, 'there is no rotation to cancel'],
  ])('refuse step %s where it is not in place, also when forced', async (step, reason) => {
    const { ca } = over(admin);
    for (const force of [false, true]) {
      await expect(ca.rotateCa({ step, force })).rejects.toThrow(`[failed_precondition] ${reason}`);
    }
    expect(audit.records.map(({ result }) => result)).toEqual(['refused', 'refused']);
    expect((await ca.getCaStatus({})).generation).toBe(1n);
  });

  it('refuse a step that would leave somebody behind, unless forced', async () => {
    const { ca } = over(admin);
    await ca.rotateCa({ step: CaStep.TRUST });
    const reason = 'no auth process has reported yet';
    expect((await ca.getCaStatus({})).blocked).toBe(reason);
    await expect(ca.rotateCa({ step: CaStep.SIGN })).rejects.toThrow(`[failed_precondition] ${reason}`);
    expect(await ca.rotateCa({ step: CaStep.SIGN, force: true })).toMatchObject({
      status: { phase: CaPhase.SIGNING },
    });
  });

  it('refuse a step that is none', async () => {
    await expect(over(admin).ca.rotateCa({})).rejects.toThrow('[invalid_argument]');
  });
});
