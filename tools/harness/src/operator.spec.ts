import { X509Certificate } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import type { ConnectRouter } from '@connectrpc/connect';
import { identifyCertificate, parseInstanceKey, peerText } from '@tagplane/identity';
import type { AddTokenRequest, ServerSecurity } from '@tagplane/protocol';
import { NodeService, Role, TokenService, createApiServer, peerOf } from '@tagplane/protocol';
import { TestAuthority } from '@tagplane/protocol/testing';
import { silentLogger } from '@tagplane/runtime';
import { addToken, connectOperator, joinSettings } from './operator.ts';

// Generous: handshakes on a busy machine.
jest.setTimeout(60_000);

const peers: string[] = [];
const added: AddTokenRequest[] = [];

function routes(router: ConnectRouter): void {
  router.service(NodeService, {
    listNodes: ({ pageToken }, context) => {
      peers.push(peerText(peerOf(context)));
      const serverId = pageToken === '' ? 'a' : 'b';
      return { nodes: [{ serverId }], nextPageToken: pageToken === '' ? 'more' : '' };
    },
  });
  router.service(TokenService, {
    addToken: (request) => {
      added.push(request);
      return { token: { id: 'id1' }, secretToken: 'secret', caPins: ['sha256:a'] };
    },
  });
}

async function serve(security: ServerSecurity) {
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await createApiServer({
    listen,
    security,
    routes,
    log: silentLogger(),
    authorise: () => undefined,
  });
  return { port: server.address.port, [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }) };
}

describe('connectOperator', () => {
  it('is believed where there is no TLS, and reads all pages', async () => {
    await using served = await serve({ mode: 'insecure' });
    using operator = connectOperator(served.port);
    expect((await operator.listNodes()).map(({ serverId }) => serverId)).toEqual(['a', 'b']);
    expect(peers.splice(0)).toEqual(['operator/harness', 'operator/harness']);
  });

  it('shows a certificate where there is', async () => {
    const authority = await TestAuthority.create();
    const trust = { cluster: authority.cluster, authorities: [new X509Certificate(authority.certificate)] };
    await using served = await serve({
      mode: 'mutual',
      minVersion: 'TLSv1.3',
      credentials: await authority.serverCredentials(),
      identify: (certificate) => identifyCertificate(certificate, trust, Date.now()),
    });
    const credentials = await authority.credentials({ role: 'operator', name: 'alice' });
    using operator = connectOperator({ port: served.port, credentials });
    await operator.listNodes();
    expect(peers.splice(0)).toEqual(['operator/alice', 'operator/alice']);
  });
});

describe('addToken', () => {
  it('asks for what is wanted', async () => {
    await using served = await serve({ mode: 'insecure' });
    using operator = connectOperator({ port: served.port });
    const parts = { account: '123456789012', region: 'eu-central-1', instance: 'i-0123456789abcdef0' };
    const instance = parseInstanceKey(parts);
    if (instance === undefined) throw new Error('no instance');
    const token = await addToken(operator, { role: 'agent', name: 'web', instance, ttlMs: 90_000, uses: 2 });
    expect(token).toEqual({ id: 'id1', token: 'secret', caPins: ['sha256:a'] });
    expect(joinSettings({ ...token, caPins: ['sha256:a', 'sha256:b'] })).toEqual({
      JOIN_TOKEN: 'secret',
      JOIN_CA_PINS: 'sha256:a,sha256:b',
    });
    const awsInstance = { accountId: parts.account, region: parts.region, instanceId: parts.instance };
    const expected = { role: Role.AGENT, name: 'web', awsInstance, ttl: { seconds: 90n }, uses: 2 };
    expect(added).toMatchObject([expected]);
  });
});
