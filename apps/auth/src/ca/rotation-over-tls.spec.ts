import { createClient } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKey, credentialsFromIssued, renewStatement, signStatement } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import { IdentityService, createApiServer, createClientConnection } from '@tagplane/protocol';
import type { ApiServer } from '@tagplane/protocol';
import { silentLogger } from '@tagplane/runtime';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { getTrust } from '../routes/get-trust.ts';
import { renewCertificate } from '../routes/renew-certificate.ts';
import { silentAudit } from '../testing/recording-audit.ts';
import { openTestCa } from '../testing/test-ca.ts';
import type { ClusterAuthority } from './cluster-authority.ts';

const log = silentLogger();
const force = { force: true, signal: new AbortController().signal };

let stack: AsyncDisposableStack;
let authority: ClusterAuthority;
let server: ApiServer;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const store = stack.use(openEmbeddedStore({ path: ':memory:', kind: 'security' }));
  authority = await openTestCa({ store });
  server = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    log,
    authorise: () => undefined,
    security: {
      mode: 'mutual',
      minVersion: 'TLSv1.3',
      credentials: authority.serverCredentials(),
      identify: (certificate) => authority.identify(certificate),
    },
    routes: (router) => {
      router.service(IdentityService, {
        renewCertificate: renewCertificate({ authority, audit: silentAudit }),
        getTrust: getTrust(authority),
      });
    },
  });
  stack.defer(() => server.close({ graceMs: 0 }));
  authority.onChange(() => {
    server.setCredentials(authority.serverCredentials());
  });
});
afterEach(() => stack.disposeAsync());

async function agent(name: string): Promise<Credentials> {
  const { publicKey, privateKey } = createKey();
  const { issued } = await authority.issue({ role: 'agent', name, instance: undefined, publicKey });
  return credentialsFromIssued({ issued, privateKey, cluster: 'test' });
}

/** The generation that the service answers with on a new connection; rejects when there is none. */
async function generationFor(
  security: Parameters<typeof createClientConnection>[0]['security'],
): Promise<bigint> {
  using connection = createClientConnection({ address: server.address, security });
  const client = createClient(IdentityService, connection.transport);
  return (await client.getTrust({})).trust?.generation ?? 0n;
}

function withCertificate(credentials: Credentials): Promise<bigint> {
  return generationFor({ mode: 'mutual', credentials: () => credentials });
}

function withPin(pin: string | undefined): Promise<bigint> {
  return generationFor({ mode: 'pinned', pins: [pin ?? ''] });
}

describe('a rotation, as clients see it', () => {
  it('lets everybody in who knows, or is known by, an authority that is trusted', async () => {
    const [oldPin] = authority.pins();
    const old = await agent('old');
    await authority.rotate('trust', force);
    const [, newPin] = authority.pins();
    const told = await agent('told');
    expect(await withCertificate(old)).toBe(2n);
    expect(await withPin(oldPin)).toBe(2n);

    await authority.rotate('sign', force);
    const fresh = await agent('fresh');
    for (const credentials of [old, told, fresh]) expect(await withCertificate(credentials)).toBe(3n);
    for (const pin of [oldPin, newPin]) expect(await withPin(pin)).toBe(3n);

    await authority.rotate('drop', force);
    expect(await withCertificate(fresh)).toBe(4n);
    expect(await withPin(newPin)).toBe(4n);
    await expect(withPin(oldPin)).rejects.toThrow('no authority of the service has the pin');
    await expect(withCertificate(old)).rejects.toThrow(/certificate/);
  });

  it('is followed on one connection, which lives on', async () => {
    const credentials = await agent('web-1');
    using connection = createClientConnection({
      address: server.address,
      security: { mode: 'mutual', credentials: () => credentials },
    });
    const client = createClient(IdentityService, connection.transport);
    await client.getTrust({ heldGeneration: 1n });
    const [peer, ...others] = server.connections;
    expect(others).toEqual([]);
    expect(peer?.identity?.issuer).toBe(authority.pins()[0]);
    await authority.rotate('trust', force);
    await authority.rotate('sign', force);
    expect(await client.getTrust({ heldGeneration: 1n })).toMatchObject({ renew: true });

    const { publicKey, privateKey } = createKey();
    const possession = signStatement(renewStatement({ id: credentials.id, publicKey }), privateKey);
    const { issued } = await client.renewCertificate({ publicKey, possession });
    expect(issued?.identity).toBe(credentials.id);
    expect(await client.getTrust({ heldGeneration: 3n })).toMatchObject({ renew: false });
    expect([...server.connections]).toEqual([peer]);
    expect(peer?.identity?.issuer).toBe(authority.pins()[0]);
    expect(peer?.trustGeneration).toBe(3);
  });
});
