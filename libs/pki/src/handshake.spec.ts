import { once } from 'node:events';
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Role } from '@tagplane/identity';
import { createAuthority, crossSign } from './authority.ts';
import type { AuthorityKeys } from './authority.ts';
import { issueCertificate } from './issue.ts';

const HOUR = 3_600_000;
const now = Date.now();
const validity = { validFrom: now - HOUR, validUntil: now + 24 * HOUR };

interface Holder {
  readonly key: string;
  readonly cert: string;
}

let old: AuthorityKeys;
let fresh: AuthorityKeys;
let cross: string;

beforeAll(async () => {
  old = await createAuthority({ cluster: 'prod', ...validity });
  fresh = await createAuthority({ cluster: 'prod', ...validity });
  cross = await crossSign({ authority: old, certificate: fresh.certificate });
});

describe('a TLS 1.3 handshake', () => {
  it('goes through both ways with certificates of one authority', async () => {
    const server = await holder(old, 'auth', 'auth-1', [old.certificate]);
    const seen = await handshake(server, [old], await holder(old, 'agent', 'web-1'), [old]);
    expect(seen).toEqual({
      server: 'URI:spiffe://prod/auth/auth-1',
      client: 'URI:spiffe://prod/agent/web-1',
    });
  });

  it.each([
    ['only the old authority', () => [old]],
    ['both', () => [old, fresh]],
    ['only the new authority', () => [fresh]],
  ])('goes through while the new authority signs, for who trusts %s', async (_who, trusted) => {
    const server = await holder(fresh, 'auth', 'auth-1', [cross, fresh.certificate]);
    const client = await holder(old, 'agent', 'web-1');
    await expect(handshake(server, [fresh, old], client, trusted())).resolves.toMatchObject({
      server: 'URI:spiffe://prod/auth/auth-1',
    });
  });

  it('fails without the cross certificate for who trusts only the old authority', async () => {
    const server = await holder(fresh, 'auth', 'auth-1', [fresh.certificate]);
    const client = await holder(old, 'agent', 'web-1');
    await expect(handshake(server, [fresh, old], client, [old])).rejects.toThrow(/certificate/);
  });

  it('fails for a client of an authority that the server does not trust', async () => {
    const server = await holder(old, 'auth', 'auth-1', [old.certificate]);
    const client = await holder(fresh, 'agent', 'web-1');
    await expect(handshake(server, [old], client, [old])).rejects.toThrow();
  });

  it('fails for a server whose certificate is for clients', async () => {
    const server = await holder(old, 'agent', 'web-1', [old.certificate]);
    const client = await holder(old, 'agent', 'web-2');
    await expect(handshake(server, [old], client, [old])).rejects.toThrow(/purpose/);
  });

  it('fails when a leaf has signed another', async () => {
    const middle = await holder(old, 'auth', 'auth-1');
    const byLeaf = await holder({ certificate: middle.cert, privateKey: middle.key }, 'auth', 'auth-2', [
      middle.cert,
      old.certificate,
    ]);
    const client = await holder(old, 'agent', 'web-1');
    await expect(handshake(byLeaf, [old], client, [old])).rejects.toThrow();
  });
});

async function holder(
  authority: AuthorityKeys,
  role: Role,
  name: string,
  chain: readonly string[] = [],
): Promise<Holder> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = {
    cluster: 'prod',
    role,
    name,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  };
  const der = await issueCertificate({ authority, subject, ...validity });
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: [new X509Certificate(der).toString(), ...chain].join(''),
  };
}

/** The names that each side saw of the other; rejects when either did not take the other. */
async function handshake(
  server: Holder,
  clientsOf: readonly AuthorityKeys[],
  client: Holder,
  serversOf: readonly AuthorityKeys[],
): Promise<{ readonly server: string | undefined; readonly client: string | undefined }> {
  const listener = createServer({
    ...server,
    ca: clientsOf.map(({ certificate }) => certificate),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = acceptedBy(listener);
  const { port } = listener.address() as AddressInfo;
  const socket = connect({
    ...client,
    ca: serversOf.map(({ certificate }) => certificate),
    host: '127.0.0.1',
    port,
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
  });
  try {
    const connected = once(socket, 'secureConnect');
    const [peer] = await Promise.all([accepted, connected]);
    return { server: socket.getPeerX509Certificate()?.subjectAltName, client: peer };
  } finally {
    socket.destroy();
    listener.close();
  }
}

function acceptedBy(listener: ReturnType<typeof createServer>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    listener.once('tlsClientError', reject);
    listener.once('secureConnection', (socket: TLSSocket) => {
      socket.on('error', reject);
      resolve(socket.getPeerX509Certificate()?.subjectAltName);
      socket.end();
    });
  });
}
