import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { identifyCertificate, parsePin, publicKeyPin } from '@tagplane/identity';
import { KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension } from './x509.ts';
import type { JsonGeneralNames } from './x509.ts';
import { createAuthority } from './authority.ts';
import type { AuthorityKeys } from './authority.ts';
import { issueCertificate } from './issue.ts';
import { issuedBy, signCertificate } from './sign-certificate.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2030, 0, 2, 3, 4, 5);
const validity = { validFrom: NOW - HOUR, validUntil: NOW + HOUR };
const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'der',
});
const DNS = 'i-0abcdef1234567890.eu-central-1.123456789012.instance.tagplane.internal';

let authority: AuthorityKeys;
let other: AuthorityKeys;

beforeAll(async () => {
  authority = await createAuthority({ cluster: 'prod', ...validity });
  other = await createAuthority({ cluster: 'prod', ...validity });
});

// In this library because it needs certificates, of which @tagplane/identity makes none.
describe('identifyCertificate', () => {
  it('knows the holder by any of the trusted authorities', async () => {
    const made = await issued(other);
    const found = identify(made, [authority, other]);
    expect(found).toMatchObject({ ok: true, issuer: publicKeyPin(new X509Certificate(other.certificate)) });
  });

  it.each([
    ['before its time', NOW - HOUR - 1, 'the certificate is not valid yet'],
    ['at its end', NOW + HOUR, 'the certificate has expired'],
    ['after its end', NOW + 2 * HOUR, 'the certificate has expired'],
  ])('refuses it %s', async (_when, now, problem) => {
    expect(identify(await issued(authority), [authority], now)).toEqual({ ok: false, problem });
  });

  it.each([
    ['at its first moment', NOW - HOUR],
    ['at its last', NOW + HOUR - 1],
  ])('takes it %s', async (_, now) => {
    expect(identify(await issued(authority), [authority], now).ok).toBe(true);
  });

  it('refuses one of an authority that is not trusted', async () => {
    const problem = 'the certificate is not one of this cluster';
    expect(identify(await issued(other), [authority])).toEqual({ ok: false, problem });
    expect(identify(await issued(authority), [])).toEqual({ ok: false, problem });
  });

  it('refuses one that only carries the name of a trusted authority', async () => {
    const { issuer } = await issuedBy(authority);
    const { signer } = await issuedBy(other);
    const forged = await signed([{ type: 'url', value: 'spiffe://prod/operator/eve' }], { issuer, signer });
    expect(identify(forged, [authority]).ok).toBe(false);
  });

  it('knows one that it has looked at before, and refuses it with any bit of it changed', async () => {
    const made = await issued(authority);
    const held = new X509Certificate(authority.certificate);
    const look = (certificate: X509Certificate, now = NOW) =>
      identifyCertificate(certificate, { cluster: 'prod', authorities: [held] }, now).ok;
    expect([look(made), look(new X509Certificate(made.raw))]).toEqual([true, true]);
    // What time and names say is looked at each time.
    expect(look(made, NOW + HOUR)).toBe(false);
    let read = 0;
    for (let at = 0; at < made.raw.length; at += 1) {
      const raw = Buffer.from(made.raw);
      raw[at] = (raw[at] ?? 0) ^ 1;
      const changed = certificateOf(raw);
      if (changed === undefined) continue;
      read += 1;
      expect(look(changed)).toBe(false);
    }
    expect(read).toBeGreaterThan(100);
  });

  it('refuses an authority itself', () => {
    expect(identify(new X509Certificate(authority.certificate), [authority]).ok).toBe(false);
  });

  it('refuses one of another cluster, even by this authority', async () => {
    const stranger = await signed([{ type: 'url', value: 'spiffe://test/agent/a' }]);
    expect(identify(stranger, [authority])).toEqual({
      ok: false,
      problem: 'the certificate is of another cluster',
    });
  });

  it.each<[string, JsonGeneralNames]>([
    ['no name', []],
    ['no URI', [{ type: 'dns', value: DNS }]],
    ['another URI', [{ type: 'url', value: 'https://prod/agent/a' }]],
    ['a role that is none', [{ type: 'url', value: 'spiffe://prod/root/a' }]],
    ['no member of the cluster', [{ type: 'url', value: 'spiffe://prod' }]],
    ['a longer path', [{ type: 'url', value: 'spiffe://prod/agent/a/b' }]],
    ['a name of another form', [{ type: 'url', value: 'spiffe://prod/agent/a%20b' }]],
    ['a name with a comma', [{ type: 'url', value: 'spiffe://prod/agent/a, DNS:b' }]],
    [
      'two URIs',
      [
        { type: 'url', value: 'spiffe://prod/agent/a' },
        { type: 'url', value: 'spiffe://prod/operator/a' },
      ],
    ],
    [
      'the instance first',
      [
        { type: 'dns', value: DNS },
        { type: 'url', value: 'spiffe://prod/agent/a' },
      ],
    ],
    [
      'a DNS name that is no instance',
      [
        { type: 'url', value: 'spiffe://prod/agent/a' },
        { type: 'dns', value: 'example.com' },
      ],
    ],
    [
      'two instances',
      [
        { type: 'url', value: 'spiffe://prod/agent/a' },
        { type: 'dns', value: DNS },
        { type: 'dns', value: DNS },
      ],
    ],
    [
      'an address',
      [
        { type: 'url', value: 'spiffe://prod/agent/a' },
        { type: 'ip', value: '10.0.0.1' },
      ],
    ],
  ])('refuses one with %s', async (_what, names) => {
    const problem = 'the certificate names no identity';
    expect(identify(await signed(names), [authority])).toEqual({ ok: false, problem });
  });

  it('refuses an instance of who is no agent', async () => {
    const made = await signed([
      { type: 'url', value: 'spiffe://prod/operator/a' },
      { type: 'dns', value: DNS },
    ]);
    expect(identify(made, [authority])).toEqual({ ok: false, problem: 'only an agent can be an instance' });
  });
});

describe('publicKeyPin', () => {
  it('is of the key, not of the certificate, and can be read again', async () => {
    const [first, second] = [await issued(authority), await issued(other)];
    expect(publicKeyPin(first)).toBe(publicKeyPin(second));
    expect(publicKeyPin(first)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(parsePin(publicKeyPin(first).toUpperCase())).toBe(publicKeyPin(first));
    const key = createPublicKey(createPrivateKey(authority.privateKey));
    expect(new X509Certificate(authority.certificate).publicKey.equals(key)).toBe(true);
  });
});

async function issued(by: AuthorityKeys): Promise<X509Certificate> {
  const subject = { cluster: 'prod', role: 'agent' as const, name: 'web-1', publicKey };
  return new X509Certificate(await issueCertificate({ authority: by, subject, ...validity }));
}

/** One that our own code would not make. */
async function signed(
  names: JsonGeneralNames,
  by?: Awaited<ReturnType<typeof issuedBy>>,
): Promise<X509Certificate> {
  const alternative = names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
  const usage = new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true);
  return signCertificate({
    ...(by ?? (await issuedBy(authority))),
    ...validity,
    subject: [{ CN: ['x'] }],
    publicKey,
    extensions: [usage, ...alternative],
  });
}

function identify(
  certificate: X509Certificate,
  trusted: readonly AuthorityKeys[],
  now = NOW,
): ReturnType<typeof identifyCertificate> {
  const authorities = trusted.map((each) => new X509Certificate(each.certificate));
  return identifyCertificate(certificate, { cluster: 'prod', authorities }, now);
}

/** Undefined for what is no certificate any more. */
function certificateOf(raw: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(raw);
  } catch {
    return undefined;
  }
}
