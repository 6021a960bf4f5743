import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ROLES, identifyCertificate, parseInstanceKey, publicKeyPin } from '@tagplane/identity';
import type { InstanceKey, Role } from '@tagplane/identity';
import { createAuthority } from './authority.ts';
import type { AuthorityKeys } from './authority.ts';
import { issueCertificate } from './issue.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2030, 0, 2, 3, 4, 5);
const validity = { validFrom: NOW - HOUR, validUntil: NOW + HOUR };
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

const publicKey = keyOf('P-256');
const instance = parseInstanceKey({
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0abcdef1234567890',
});
let authority: AuthorityKeys;

beforeAll(async () => {
  authority = await createAuthority({ cluster: 'prod', validFrom: NOW - HOUR, validUntil: NOW + 99 * HOUR });
});

describe('issueCertificate', () => {
  it.each<[Role, string, string[]]>([
    ['agent', 'web-1', [CLIENT_AUTH]],
    ['discovery', 'eu.prod', [CLIENT_AUTH]],
    ['operator', 'Jane_1', [CLIENT_AUTH]],
    ['auth', 'a'.repeat(128), [SERVER_AUTH, CLIENT_AUTH]],
  ])('makes an %s of its holder', async (role, name, usages) => {
    const made = await issue({ role, name });
    expect(made.ca).toBe(false);
    expect(made.subjectAltName).toBe(`URI:spiffe://prod/${role}/${name}`);
    expect(made.subject).toBe(`O=prod\nCN=Tagplane ${role}`);
    expect(made.keyUsage).toEqual(usages);
    expect(made.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect([made.validFromDate.getTime(), made.validToDate.getTime()]).toEqual([NOW - HOUR, NOW + HOUR]);
    expect(identify(made)).toEqual({
      ok: true,
      peer: { role, name, proof: 'certificate' },
      id: `spiffe://prod/${role}/${name}`,
      issuer: publicKeyPin(new X509Certificate(authority.certificate)),
      validUntil: NOW + HOUR,
    });
  });

  it('carries a proven instance after the identity', async () => {
    const made = await issue({ role: 'agent', name: 'web-1', instance });
    expect(made.subjectAltName).toBe(
      'URI:spiffe://prod/agent/web-1, DNS:i-0abcdef1234567890.eu-central-1.123456789012.instance.tagplane.internal',
    );
    expect(identify(made)).toMatchObject({ ok: true, peer: { role: 'agent', name: 'web-1', instance } });
  });

  it('gives each a positive serial number of 16 bytes of its own', async () => {
    const serials = await Promise.all(
      Array.from({ length: 20 }, async () => (await issue({ role: 'agent', name: 'a' })).serialNumber),
    );
    expect(new Set(serials).size).toBe(20);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it.each<[string, { role: Role; name: string; instance?: InstanceKey | undefined; cluster?: string }]>([
    ['a name with a slash', { role: 'agent', name: 'a/b' }],
    ['an empty name', { role: 'agent', name: '' }],
    ['a name with @', { role: 'operator', name: 'jane@example.com' }],
    ['a name that would add another', { role: 'agent', name: 'a, URI:spiffe://prod/operator/x' }],
    ['a name with a line', { role: 'agent', name: 'a\nb' }],
    ['a name that is too long', { role: 'agent', name: 'a'.repeat(129) }],
    ['no role of ours', { role: 'root' as Role, name: 'a' }],
    ['no cluster', { role: 'agent', name: 'a', cluster: 'A b' }],
    ['an instance that is no agent', { role: 'discovery', name: 'a', instance }],
    [
      'an instance that is none',
      { role: 'agent', name: 'a', instance: { account: '1', region: 'x', instance: 'y' } as InstanceKey },
    ],
  ])('refuses %s', async (_what, subject) => {
    await expect(issue(subject)).rejects.toThrow(RangeError);
  });

  it.each([
    ['another curve', keyOf('P-384')],
    ['another kind of key', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' })],
    ['no key', Buffer.from('no key')],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s as the key', async (_what, key) => {
    await expect(issue({ role: 'agent', name: 'a', publicKey: key })).rejects.toThrow('P-256 public key');
  });

  it('is read as exactly what it was issued for, whatever the name', async () => {
    const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ROLES), names, async (role, name) => {
        expect(identify(await issue({ role, name }))).toMatchObject({ ok: true, peer: { role, name } });
      }),
      { numRuns: 50 },
    );
  });

  it('takes no text that would be read as another name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (name) => {
        const made = await issue({ role: 'agent', name }).catch((error: unknown) => error);
        if (made instanceof X509Certificate) expect(identify(made)).toMatchObject({ peer: { name } });
        else expect(made).toBeInstanceOf(RangeError);
      }),
      { numRuns: 200 },
    );
  });
});

interface Wanted {
  readonly role: Role;
  readonly name: string;
  readonly instance?: InstanceKey | undefined;
  readonly cluster?: string;
  readonly publicKey?: Uint8Array;
}

async function issue(subject: Wanted): Promise<X509Certificate> {
  const full = { cluster: 'prod', publicKey, ...subject };
  return new X509Certificate(await issueCertificate({ authority, subject: full, ...validity }));
}

function identify(certificate: X509Certificate): ReturnType<typeof identifyCertificate> {
  const authorities = [new X509Certificate(authority.certificate)];
  return identifyCertificate(certificate, { cluster: 'prod', authorities }, NOW);
}

function keyOf(namedCurve: string): Buffer {
  return generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'der' });
}
