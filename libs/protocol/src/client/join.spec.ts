import { X509Certificate } from 'node:crypto';
import type { ConnectRouter } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createKey, joinStatement, provesPossession, renewStatement } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import { parseInstanceKey, publicKeyPin } from '@tagplane/identity';
import { IdentityService, JoinService } from '../index.ts';
import type { JoinRequest } from '../index.ts';
import { peerOf } from '../peer.ts';
import { TestAuthority, startTestServer, until } from '../testing/index.ts';
import type { TestCertificateOptions, TestServer } from '../testing/index.ts';
import { createClientConnection } from './client.ts';
import { joinCluster } from './join.ts';
import type { JoinChallenge, JoinOptions } from './join.ts';
import { fetchTrust, renewCredentials } from './renew.ts';

const signal = AbortSignal.timeout(60_000);
const SECRET = 'the-token';

let authority: TestAuthority;
let stranger: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
  stranger = await TestAuthority.create();
});

interface Issuing {
  readonly by?: TestAuthority;
  readonly authorities?: Uint8Array[];
  readonly change?: Partial<TestCertificateOptions>;
}

async function issue(options: TestCertificateOptions, { by = authority, change }: Issuing) {
  const { certificates } = await by.issue({ ...options, ...change });
  const trust = { generation: 7n, authorities: [derOf(authority.certificate)] };
  return { certificates: certificates.map(derOf), trust };
}

async function* join(requests: AsyncIterable<JoinRequest>, issuing: Issuing) {
  let publicKey: Uint8Array = new Uint8Array();
  let name = '';
  for await (const { message } of requests) {
    if (message.case === 'start') {
      ({ publicKey, name } = message.value);
      yield { message: { case: 'challenge', value: { nonce: 'n', cluster: authority.cluster } } } as const;
      continue;
    }
    const statement = joinStatement({ cluster: authority.cluster, nonce: 'n', publicKey });
    const { possession, method } = message.value ?? { possession: new Uint8Array(), method: undefined };
    const token = method?.case === 'token' ? method.value.token : '';
    if (!provesPossession(statement, publicKey, possession) || token !== SECRET) {
      throw new ConnectError('no such token', Code.PermissionDenied);
    }
    const value = await issue({ role: 'agent', name: name || 'given', publicKey }, issuing);
    yield { message: { case: 'issued', value } } as const;
    return;
  }
}

/** An auth service that lets in whoever has the token and possesses the key, and renews for everybody. */
function routes(issuing: Issuing) {
  return (router: ConnectRouter): void => {
    router.service(JoinService, { join: (requests) => join(requests, issuing) });
    router.service(IdentityService, {
      async renewCertificate({ publicKey, possession }, context) {
        const { role, name } = peerOf(context);
        const statement = renewStatement({ id: `spiffe://test/${role}/${name}`, publicKey });
        if (!provesPossession(statement, publicKey, possession)) {
          throw new ConnectError('not the key', Code.InvalidArgument);
        }
        return { issued: await issue({ role, name, publicKey }, issuing) };
      },
      getTrust: ({ heldGeneration }) => ({
        trust: {
          generation: heldGeneration + 1n,
          authorities:
            issuing.authorities ?? [authority, stranger].map(({ certificate }) => derOf(certificate)),
        },
        renew: true,
      }),
    });
  };
}

function derOf(pem: string): Uint8Array {
  return new X509Certificate(pem).raw;
}

async function serve(issuing: Issuing = {}): Promise<TestServer> {
  return await startTestServer(authority, { routes: routes(issuing) });
}

function enter(server: TestServer, options: Partial<JoinOptions> = {}): Promise<Credentials> {
  return joinCluster({
    address: server.address,
    pins: [authority.pin],
    role: 'agent',
    prove: () => Promise.resolve({ case: 'token', value: { token: SECRET } }),
    signal,
    ...options,
  });
}

describe('joinCluster', () => {
  it('leaves nothing behind that looks like a failure', async () => {
    await using server = await serve();
    await enter(server);
    const handshakes = () => server.events.filter(({ type }) => type === 'handshake').length;
    await until(() => handshakes() === 2 && server.connections.size === 0);
    expect(server.refusals).toEqual([]);
  });

  it('gives credentials that are good for a connection', async () => {
    await using server = await serve();
    const challenges: JoinChallenge[] = [];
    const credentials = await enter(server, {
      name: 'web-1',
      prove: (challenge) => {
        challenges.push(challenge);
        return Promise.resolve({ case: 'token', value: { token: SECRET } });
      },
    });
    expect(credentials).toMatchObject({
      id: 'spiffe://test/agent/web-1',
      role: 'agent',
      name: 'web-1',
      trust: { cluster: 'test', generation: 7 },
    });
    expect(challenges).toMatchObject([{ nonce: 'n', cluster: 'test' }]);
    const own = new X509Certificate(credentials.certificates[0] ?? '');
    const key = own.publicKey.export({ type: 'spki', format: 'der' });
    expect(key.equals(challenges[0]?.publicKey ?? new Uint8Array())).toBe(true);
    expect((await renewed(server, credentials)).id).toBe(credentials.id);
  });

  it('leaves the name of an agent to the auth service', async () => {
    await using server = await serve();
    expect((await enter(server)).name).toBe('given');
  });

  it('passes on why it is refused', async () => {
    await using server = await serve();
    const joining = enter(server, { prove: () => Promise.resolve({ case: 'token', value: { token: 'x' } }) });
    await expect(joining).rejects.toThrow('[permission_denied] no such token');
  });

  it('passes on why there is no proof, and lets the exchange go', async () => {
    await using server = await serve();
    const joining = enter(server, { prove: () => Promise.reject(new Error('no metadata here')) });
    await expect(joining).rejects.toThrow('no metadata here');
    await until(() => server.connections.size === 0);
  });

  it('ends with its signal', async () => {
    await using server = await serve();
    const stop = new AbortController();
    const joining = enter(server, {
      signal: stop.signal,
      prove: () => {
        stop.abort(new Error('enough'));
        return Promise.resolve({ case: 'token', value: { token: SECRET } });
      },
    });
    await expect(joining).rejects.toThrow('enough');
  });

  it.each<[string, () => Issuing]>([
    ['another key', () => ({ change: { publicKey: createKey().publicKey } })],
    ['another name', () => ({ change: { name: 'web-2' } })],
    ['another role', () => ({ change: { role: 'operator' } })],
    ['another cluster', () => ({ change: { cluster: 'other' } })],
    ['a certificate of another authority', () => ({ by: stranger })],
  ])('refuses to be given %s', async (_what, issuing) => {
    await using server = await serve(issuing());
    await expect(enter(server, { name: 'web-1' })).rejects.toThrow(
      /^\[internal\] the auth service answered with/,
    );
  });
});

function linkOf(server: TestServer, credentials: Credentials) {
  const security = { mode: 'mutual', credentials: () => credentials } as const;
  return createClientConnection({ address: server.address, security });
}

async function renewed(server: TestServer, credentials: Credentials): Promise<Credentials> {
  using link = linkOf(server, credentials);
  return await renewCredentials(link.transport, credentials, { signal });
}

describe('renewCredentials', () => {
  it('gives another certificate for another key and the same identity', async () => {
    await using server = await serve();
    const before = await authority.credentials({ role: 'agent', name: 'web-1' });
    const after = await renewed(server, before);
    expect([after.id, after.trust.generation]).toEqual([before.id, 7]);
    expect(after.privateKey).not.toBe(before.privateKey);
    expect(after.certificates[0]).not.toBe(before.certificates[0]);
  });

  const instance = parseInstanceKey({
    account: '123456789012',
    region: 'eu-central-1',
    instance: 'i-0abcdef1234567890',
  });
  it.each<[string, () => Issuing]>([
    ['another name', () => ({ change: { name: 'web-2' } })],
    ['an instance that it was not', () => ({ change: instance ? { instance } : {} })],
    ['a certificate of another authority', () => ({ by: stranger })],
  ])('refuses to be given %s', async (_what, issuing) => {
    await using server = await serve(issuing());
    const credentials = await authority.credentials({ role: 'agent', name: 'web-1' });
    await expect(renewed(server, credentials)).rejects.toThrow('[internal] the auth service answered with');
  });
});

describe('fetchTrust', () => {
  const ask = async (issuing: Issuing = {}) => {
    await using server = await serve(issuing);
    const credentials = await authority.credentials({ role: 'discovery', name: 'eu' });
    using link = linkOf(server, credentials);
    return await fetchTrust(link.transport, { ...credentials.trust, generation: 3 }, { signal });
  };

  it('says what to trust now, and whether to renew', async () => {
    const { trust, renew } = await ask();
    expect([trust.cluster, trust.generation, renew]).toEqual(['test', 4, true]);
    expect(trust.authorities.map((pem) => publicKeyPin(new X509Certificate(pem)))).toEqual([
      authority.pin,
      stranger.pin,
    ]);
  });

  it.each([
    ['nothing', []],
    ['what is no certificate', [new Uint8Array([1, 2, 3])]],
  ])('refuses to trust %s', async (_what, authorities) => {
    await expect(ask({ authorities })).rejects.toThrow('[internal] the auth service answered with');
  });
});
