import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { ConnectError, createClient } from '@connectrpc/connect';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Credentials } from '@tagplane/credentials';
import { peerText } from '@tagplane/identity';
import { ConfigError, HOUR, silentLogger } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import { StatusService, createApiServer } from '../index.ts';
import { peerOf } from '../peer.ts';
import { TestAuthority, startTestServer, until } from '../testing/index.ts';
import type { TestCertificateOptions, TestServer } from '../testing/index.ts';
import type { ClientSecurity } from './client-security.ts';
import { createClientConnection } from './client.ts';
import { TlsSessions } from './tls-sessions.ts';

const OPERATOR = { role: 'operator', name: 'ada' } as const;

let authority: TestAuthority;
let stranger: TestAuthority;
let credentials: Credentials;
beforeAll(async () => {
  authority = await TestAuthority.create();
  stranger = await TestAuthority.create();
  credentials = await authority.credentials(OPERATOR);
});

async function serve(from: TestAuthority = authority, options: Partial<TestCertificateOptions> = {}) {
  return await startTestServer(from, {
    credentials: await from.serverCredentials(options),
    routes: (router) => {
      router.service(StatusService, {
        getStatus: (_request, context) => ({ authId: peerText(peerOf(context)) }),
      });
    },
  });
}

/** One call on a connection of its own: who the server took it for, or what went wrong. */
async function call(address: Address, security: ClientSecurity): Promise<string> {
  using connection = createClientConnection({ address, security });
  try {
    return (await createClient(StatusService, connection.transport).getStatus({})).authId;
  } catch (error) {
    return ConnectError.from(error).message;
  }
}

const mutual = (own = credentials): ClientSecurity => ({ mode: 'mutual', credentials: () => own });
const resumptions = ({ events }: TestServer) =>
  events.flatMap((event) => (event.type === 'handshake' ? [event.resumed] : []));

describe('with a certificate', () => {
  it('is known to the auth service', async () => {
    await using server = await serve();
    expect(await call(server.address, mutual())).toBe('operator/ada');
  });

  it('takes up the credentials of the moment on each new connection', async () => {
    await using server = await serve();
    let own = credentials;
    using connection = createClientConnection({
      address: server.address,
      security: { mode: 'mutual', credentials: () => own },
    });
    const status = createClient(StatusService, connection.transport);
    expect((await status.getStatus({})).authId).toBe('operator/ada');
    own = await authority.credentials({ ...OPERATOR, name: 'bob' });
    expect((await status.getStatus({})).authId).toBe('operator/ada');
    for (const each of server.connections) each.cut('try again');
    await until(() => server.connections.size === 0);
    expect((await status.getStatus({})).authId).toBe('operator/bob');
  });

  const now = Date.now();
  it.each<[string, Partial<TestCertificateOptions>, string]>([
    [
      'has ended',
      { validFrom: new Date(now - 2 * HOUR), validUntil: new Date(now - HOUR) },
      "the auth service's certificate has expired; is the clock right?",
    ],
    [
      'has not begun',
      { validFrom: new Date(now + HOUR) },
      "the auth service's certificate is not valid yet; is the clock right?",
    ],
    ['is of another cluster', { cluster: 'other' }, "the auth service's certificate is of another cluster"],
    [
      'is that of an agent',
      { role: 'agent', name: 'web-1' },
      "the other side's certificate is not that of an auth service",
    ],
    [
      'names an agent',
      { names: [{ type: 'url', value: 'spiffe://test/agent/web-1' }] },
      'that is agent/web-1, not an auth service',
    ],
    [
      'names a host',
      { names: [{ type: 'dns', value: 'localhost' }] },
      "the auth service's certificate names no identity",
    ],
  ])('leaves an auth service alone whose certificate %s', async (_what, options, problem) => {
    await using server = await serve(authority, options);
    const { host, port } = server.address;
    expect(await call(server.address, mutual())).toBe(`[unavailable] ${host}:${port}: ${problem}`);
  });

  it('leaves an auth service alone that has its certificate from another authority', async () => {
    await using server = await serve(stranger);
    expect(await call(server.address, mutual())).toContain(
      "the auth service's certificate is not one of this cluster",
    );
  });

  it('says so when the other side speaks no TLS', async () => {
    const server = await createApiServer({
      listen: { host: '127.0.0.1', port: 0 },
      log: silentLogger(),
      security: { mode: 'insecure' },
      authorise: () => undefined,
      routes: () => undefined,
    });
    expect(await call(server.address, mutual())).toContain('the other side does not speak TLS');
    await server.close({ graceMs: 0 });
  });

  it('says so when the other side hangs up or speaks an old TLS', async () => {
    const rude = createServer((socket) => socket.on('error', () => undefined).resetAndDestroy());
    expect(await call(await listen(rude), mutual())).toContain('the connection was cut');
    rude.close();
    const { privateKey, certificates } = await authority.issue({ role: 'auth', name: 'old' });
    const old = createTlsServer({ key: privateKey, cert: certificates.join('\n'), maxVersion: 'TLSv1.2' });
    old.on('tlsClientError', () => undefined);
    expect(await call(await listen(old), mutual())).toContain('the other side speaks no TLS 1.3');
    old.close();
  });
});

async function listen(server: Server): Promise<Address> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

describe('a session', () => {
  it('is resumed with the same certificate, and only with that', async () => {
    await using server = await serve();
    const sessions = new TlsSessions();
    const visit = (own: Credentials) =>
      call(server.address, { mode: 'mutual', credentials: () => own, sessions });
    const renewed = await authority.credentials(OPERATOR);
    const trusting = { ...renewed, trust: { ...renewed.trust, generation: 2 } };
    for (const own of [credentials, credentials, credentials, renewed, renewed, trusting, trusting]) {
      expect(await visit(own)).toBe('operator/ada');
    }
    expect(resumptions(server)).toEqual([false, true, true, false, true, false, true]);
  });

  it('is not resumed without a place to keep it', async () => {
    await using server = await serve();
    await call(server.address, mutual());
    await call(server.address, mutual());
    expect(resumptions(server)).toEqual([false, false]);
  });
});

describe('while authorities change', () => {
  /** The new authority signs, and the old one vouches for it. */
  async function serveNext(next: TestAuthority): Promise<TestServer> {
    const { certificates, ...others } = await next.serverCredentials();
    const [own = ''] = certificates;
    const shown = [own, await authority.crossCertify(next), next.certificate];
    return await startTestServer(authority, { credentials: { ...others, certificates: shown } });
  }

  it('who knows only the old one still finds the auth service, and who knows only the new one as well', async () => {
    const next = await TestAuthority.create();
    await using server = await serveNext(next);
    // The method is not served: who gets this answer has connected.
    const connected = /unimplemented|404/;
    const securities: ClientSecurity[] = [
      mutual(),
      mutual({ ...credentials, trust: { ...next.trust, generation: 3 } }),
      { mode: 'pinned', pins: [next.pin] },
    ];
    for (const security of securities) expect(await call(server.address, security)).toMatch(connected);
  });

  it('nobody is vouched for by who has no right to', async () => {
    const next = await TestAuthority.create();
    const { certificates, ...others } = await next.serverCredentials();
    const cross = await stranger.crossCertify(next);
    await using server = await startTestServer(authority, {
      credentials: { ...others, certificates: [...certificates.slice(0, 1), cross, next.certificate] },
    });
    expect(await call(server.address, mutual())).toContain('is not one of this cluster');
  });
});

describe('by a pin', () => {
  const pinned = (...pins: string[]): ClientSecurity => ({ mode: 'pinned', pins });

  it('finds the auth service, and is nobody there', async () => {
    await using server = await serve();
    const answer = await call(server.address, pinned(stranger.pin, authority.pin));
    expect(answer).toContain('[unauthenticated] who is calling? no certificate was shown');
  });

  it('leaves everybody else alone', async () => {
    await using server = await serve(stranger);
    expect(await call(server.address, pinned(authority.pin))).toContain(
      `no authority of the service has the pin ${authority.pin}`,
    );
  });

  it('takes no certificate that the pinned authority did not make', async () => {
    const { certificates, ...others } = await stranger.serverCredentials();
    const shown = [...certificates.slice(0, 1), authority.certificate];
    await using server = await startTestServer(authority, {
      credentials: { ...others, certificates: shown },
    });
    expect(await call(server.address, pinned(authority.pin))).toContain(
      `no authority of the service has the pin ${authority.pin}`,
    );
  });

  it('takes an auth service of one cluster only, and no agent for one', async () => {
    await using server = await serve();
    const security = { mode: 'pinned', pins: [authority.pin], cluster: 'other' } as const;
    expect(await call(server.address, security)).toContain(
      "the auth service's certificate is of another cluster",
    );
    await using agent = await serve(authority, {
      names: [{ type: 'url', value: 'spiffe://test/agent/web-1' }],
    });
    expect(await call(agent.address, pinned(authority.pin))).toContain('that is agent/web-1');
  });
});

describe('without TLS', () => {
  it.each(['10.0.0.1', 'auth.example.com', '0.0.0.0', '2001:db8::1'])('goes nowhere near %s', (host) => {
    const security = { mode: 'insecure', peer: { ...OPERATOR, proof: 'claimed' } } as const;
    const connect = () => createClientConnection({ address: { host, port: 7420 }, security });
    expect(connect).toThrow(ConfigError);
    expect(connect).toThrow('tls.mode');
  });
});
