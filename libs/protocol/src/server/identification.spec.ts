import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { ConnectError, createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { instanceKeyText, parseInstanceKey, peerText } from '@tagplane/identity';
import { HOUR, formatAddress } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import { NodeService, PEER_HEADER, StatusService, connectionOf } from '../index.ts';
import { knownPeer, peerOf } from '../peer.ts';
import type {
  TestCertificate,
  TestCertificateOptions,
  TestServer,
  TestServerOptions,
} from '../testing/index.ts';
import { TestAuthority, startTestServer, until } from '../testing/index.ts';

const WEB_1 = { role: 'agent', name: 'web-1' } as const;
const IDENTITY = 'spiffe://test/agent/web-1';

let authority: TestAuthority;
let stranger: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
  stranger = await TestAuthority.create();
});

/** Answers with who it takes the caller for. */
async function serve(options: TestServerOptions = {}): Promise<TestServer> {
  return await startTestServer(authority, {
    routes: (router) => {
      router.service(StatusService, {
        getStatus: (_request, context) => ({
          authId: peerText(peerOf(context)),
          problems: [connectionOf(context)?.identity?.id ?? 'no identity'],
        }),
      });
      router.service(NodeService, {
        getNode: (_request, context) => ({ node: { serverId: knownPeer(context)?.role ?? 'nobody' } }),
      });
    },
    ...options,
  });
}

function tlsOf(certificate: TestCertificate | undefined) {
  const common = { ca: [authority.certificate], checkServerIdentity: () => undefined };
  if (certificate === undefined) return common;
  return { ...common, cert: certificate.certificates.join('\n'), key: certificate.privateKey };
}

function transports(address: Address, certificate?: TestCertificate): Record<string, Transport> {
  const baseUrl = `https://${formatAddress(address)}`;
  const nodeOptions = tlsOf(certificate);
  return {
    'gRPC over HTTP/2': createGrpcTransport({ baseUrl, nodeOptions }),
    'Connect over HTTP/2': createConnectTransport({ baseUrl, httpVersion: '2', nodeOptions }),
    'Connect over HTTP/1.1': createConnectTransport({ baseUrl, httpVersion: '1.1', nodeOptions }),
  };
}

function statusOf({ address }: TestServer, certificate?: TestCertificate) {
  const [transport] = Object.values(transports(address, certificate));
  if (transport === undefined) throw new Error('no transport');
  return createClient(StatusService, transport);
}

async function errorOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'no error',
    (error: unknown) => ConnectError.from(error).message,
  );
}

describe('who is calling', () => {
  it('is whom the certificate names, over every protocol, whatever the header claims', async () => {
    const seen: unknown[] = [];
    await using server = await serve({
      authorise: ({ name }, peer, connection) => {
        seen.push([name, peer && peerText(peer), connection?.identity?.id]);
      },
    });
    const certificate = await authority.issue(WEB_1);
    const headers = { [PEER_HEADER]: 'operator/ada' };
    for (const [name, transport] of Object.entries(transports(server.address, certificate))) {
      const { authId, problems } = await createClient(StatusService, transport).getStatus({}, { headers });
      expect([name, authId, problems]).toEqual([name, 'agent/web-1', [IDENTITY]]);
      expect(seen.splice(0)).toEqual([['GetStatus', 'agent/web-1', IDENTITY]]);
    }
    expect([...server.connections].map(({ identity }) => identity?.id)).toContain(IDENTITY);
  });

  it('is nobody without a certificate, whatever the header claims', async () => {
    await using server = await serve();
    const headers = { [PEER_HEADER]: 'operator/ada' };
    for (const [name, transport] of Object.entries(transports(server.address))) {
      const { node } = await createClient(NodeService, transport).getNode({ serverId: 'x' }, { headers });
      expect([name, node?.serverId]).toEqual([name, 'nobody']);
      const message = await errorOf(createClient(StatusService, transport).getStatus({}, { headers }));
      expect(message).toBe(
        '[unauthenticated] who is calling? no certificate was shown; join the cluster to be given one',
      );
    }
    expect(server.refusals).toEqual([]);
  });

  it('is also the instance that the certificate proves', async () => {
    await using server = await serve();
    const instance = parseInstanceKey({
      account: '123456789012',
      region: 'eu-central-1',
      instance: 'i-0abcdef1234567890',
    });
    await statusOf(server, await authority.issue({ ...WEB_1, ...(instance && { instance }) })).getStatus({});
    const [connection] = server.connections;
    const proven = connection?.identity?.peer.instance;
    expect(proven && instanceKeyText(proven)).toBe('123456789012/eu-central-1/i-0abcdef1234567890');
  });

  const now = Date.now();
  const [past, future] = [new Date(now - HOUR), new Date(now + HOUR)];
  const names = [{ type: 'url', value: 'https://example.com/' }] as const;
  it.each<[string, Partial<TestCertificateOptions>, string]>([
    ['has ended', { validFrom: new Date(now - 2 * HOUR), validUntil: past }, 'the certificate has expired'],
    ['has not begun', { validFrom: future }, 'the certificate is not valid yet'],
    ['is of another cluster', { cluster: 'other' }, 'the certificate is of another cluster'],
    ['names no identity', { names: [...names] }, 'the certificate names no identity'],
  ])('is nobody when the certificate %s, and is told why', async (_what, options, problem) => {
    await using server = await serve();
    const status = statusOf(server, await authority.issue({ ...WEB_1, ...options }));
    const headers = { [PEER_HEADER]: 'operator/ada' };
    for (let call = 0; call < 2; call += 1) {
      expect(await errorOf(status.getStatus({}, { headers }))).toBe(`[unauthenticated] ${problem}`);
    }
    expect(server.refusals).toMatchObject([{ reason: 'bad_certificate', detail: problem, id: undefined }]);
  });

  it('is nobody when the certificate is that of another authority', async () => {
    await using server = await serve();
    const status = statusOf(server, await stranger.issue(WEB_1));
    const problem = 'the certificate is not one of this cluster';
    expect(await errorOf(status.getStatus({}))).toBe(`[unauthenticated] ${problem}`);
    expect(server.refusals).toMatchObject([{ reason: 'bad_certificate', detail: problem }]);
  });

  it('is nobody when it is not to be admitted', async () => {
    await using server = await serve({ admit: ({ id }) => (id === IDENTITY ? 'it is locked' : undefined) });
    const message = await errorOf(statusOf(server, await authority.issue(WEB_1)).getStatus({}));
    expect(message).toBe('[unauthenticated] it is locked');
    expect(server.refusals).toMatchObject([{ reason: 'denied', detail: 'it is locked', id: IDENTITY }]);
    const other = statusOf(server, await authority.issue({ ...WEB_1, name: 'web-2' }));
    expect((await other.getStatus({})).authId).toBe('agent/web-2');
  });
});

describe('a resumed session', () => {
  /** One connection; resolves to a session to resume, and to whom the server took it for. */
  async function visit(server: TestServer, certificate?: TestCertificate, session?: Buffer) {
    const before = server.events.length;
    const ticket = Promise.withResolvers<Buffer>();
    const socket = connectTls({
      ...tlsOf(certificate),
      host: server.address.host,
      port: server.address.port,
      ALPNProtocols: ['h2'],
      ...(session && { session }),
    });
    socket.once('session', ticket.resolve).resume();
    await once(socket, 'secureConnect');
    await until(() => server.events.length > before && server.connections.size === 1);
    const [connection] = server.connections;
    const kept = session ?? (await ticket.promise);
    const resumed = socket.isSessionReused();
    socket.destroy();
    await until(() => server.connections.size === 0);
    return { session: kept, resumed, id: connection?.identity?.id, problem: connection?.problem };
  }

  it('is looked at again: it has the certificate of its beginning', async () => {
    let now = Date.now();
    await using server = await serve({ now: () => now });
    const certificate = await authority.issue(WEB_1);
    const { session } = await visit(server, certificate);
    expect(await visit(server, certificate, session)).toMatchObject({ resumed: true, id: IDENTITY });
    now += 13 * HOUR;
    expect(await visit(server, certificate, session)).toMatchObject({
      resumed: true,
      id: undefined,
      problem: 'the certificate has expired',
    });
    const handshakes = server.events.filter(({ type }) => type === 'handshake');
    expect(handshakes).toMatchObject([{ resumed: false }, { resumed: true }, { resumed: true }]);
  });

  it('without a certificate stays without', async () => {
    await using server = await serve();
    const { session, id } = await visit(server);
    expect(id).toBeUndefined();
    expect(await visit(server, undefined, session)).toMatchObject({ resumed: true, id: undefined });
  });

  it('goes on at another process that shares the ticket keys', async () => {
    await using one = await serve();
    await using two = await serve({ credentials: await authority.serverCredentials({ name: 'auth-2' }) });
    const certificate = await authority.issue(WEB_1);
    const { session } = await visit(one, certificate);
    expect(await visit(two, certificate, session)).toMatchObject({ resumed: true, id: IDENTITY });
  });
});
