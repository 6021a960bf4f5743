import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Code, ConnectError } from '@connectrpc/connect';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError, HOUR, silentLogger } from '@tagplane/runtime';
import { TestAuthority, openRawClient, startTestServer, until } from '../testing/index.ts';
import type { TestServer, TestServerOptions } from '../testing/index.ts';
import { createApiServer } from './api-server.ts';

const WEB_1 = { role: 'agent', name: 'web-1' } as const;
const IDENTITY = 'spiffe://test/agent/web-1';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

async function serve(options: TestServerOptions = {}): Promise<TestServer> {
  return await startTestServer(authority, options);
}

describe('a connection', () => {
  it('lives on when the credentials change, and new ones see the new', async () => {
    await using server = await serve();
    const certificate = await authority.issue(WEB_1);
    using before = await openRawClient(server.address, { certificate });
    before.greet();
    const next = await authority.serverCredentials({ name: 'auth-next' });
    server.setCredentials(next);
    using after = await openRawClient(server.address, { certificate });
    expect(after.socket.getPeerCertificate().subject.CN).toBe('auth-next');
    await until(() => before.frames.length > 0);
    expect([before.socket.getPeerCertificate().subject.CN, before.socket.closed]).toEqual(['auth-1', false]);
  });

  it('is cut with its reason when its certificate ends, unless that was renewed', async () => {
    await using server = await serve();
    const validUntil = new Date(Date.now() + 2_000);
    const [left, renewed] = [
      await authority.issue({ ...WEB_1, validUntil }),
      await authority.issue({ ...WEB_1, name: 'web-2', validUntil }),
    ];
    using one = await openRawClient(server.address, { certificate: left });
    using two = await openRawClient(server.address, { certificate: renewed });
    one.greet();
    two.greet();
    await until(() => [one, two].every(({ frames }) => frames.length > 0));
    for (const connection of server.connections) {
      const { identity } = connection;
      if (identity === undefined) throw new Error('not identified');
      const later = { ...identity, validUntil: Date.now() + HOUR };
      if (identity.peer.name === 'web-2') connection.renewed(later);
      expect(() => {
        connection.renewed({ ...later, id: 'spiffe://test/agent/web-3' });
      }).toThrow('cannot become');
    }
    await one.closed;
    expect(one.goaways).toContainEqual({ code: 0, text: 'the certificate has expired' });
    expect(server.refusals).toMatchObject([{ reason: 'certificate_expired', id: IDENTITY }]);
    expect([two.socket.closed, server.connections.size]).toEqual([false, 1]);
  });

  it('may be cut by whoever holds it, over each protocol', async () => {
    await using server = await serve();
    const certificate = await authority.issue(WEB_1);
    for (const protocol of ['h2', 'http/1.1']) {
      using client = await openRawClient(server.address, { certificate, tls: { ALPNProtocols: [protocol] } });
      await until(() => server.connections.size === 1);
      for (const connection of server.connections) connection.cut('it is locked');
      await client.closed;
      await until(() => server.connections.size === 0);
    }
  });

  it.each([
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', '\x04'],
    ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'HTTP/1.1 404'],
  ])('without ALPN is taken for %s by its first bytes', async (_name, hello, answer) => {
    await using server = await serve();
    const { host, port } = server.address;
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    socket.write(hello);
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(first.toString('latin1')).toContain(answer);
  });

  it('without TLS is refused', async () => {
    await using server = await serve();
    const socket = connectTcp(server.address.port, server.address.host);
    socket.on('error', () => undefined).resume();
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await once(socket, 'close');
    expect(server.refusals).toMatchObject([{ reason: 'handshake_failed', remoteAddress: '127.0.0.1' }]);
  });

  it('with TLS 1.2 is refused unless that is allowed', async () => {
    const tls = { maxVersion: 'TLSv1.2' } as const;
    await using strict = await serve();
    await expect(openRawClient(strict.address, { tls })).rejects.toThrow(/alert/);
    await until(() => strict.refusals.length > 0);
    await using lax = await serve({ minVersion: 'TLSv1.2' });
    using client = await openRawClient(lax.address, { tls, certificate: await authority.issue(WEB_1) });
    expect(client.socket.getProtocol()).toBe('TLSv1.2');
    await until(() => [...lax.connections].some(({ identity }) => identity?.id === IDENTITY));
  });

  it('is closed with the port', async () => {
    const server = await serve();
    using client = await openRawClient(server.address);
    await until(() => server.connections.size === 1);
    await server.close({ graceMs: 10 });
    await client.closed;
    await until(() => server.connections.size === 0);
  });
});

describe('without TLS', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'auth.example.com'])('nothing listens on %s', async (host) => {
    const server = createApiServer({
      listen: { host, port: 0 },
      log: silentLogger(),
      security: { mode: 'insecure' },
      authorise: () => {
        throw new ConnectError('nobody', Code.PermissionDenied);
      },
      routes: () => undefined,
    });
    await expect(server).rejects.toThrow(ConfigError);
    await expect(server).rejects.toThrow('tls.mode');
  });
});
