import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAuthority, crossSign } from './authority.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2030, 0, 2, 3, 4, 5, 678);
const validity = { validFrom: NOW, validUntil: NOW + 3_650 * DAY };

describe('createAuthority', () => {
  it('makes an authority that signed itself, for the time asked for', async () => {
    const { certificate, privateKey } = await createAuthority({ cluster: 'prod.example', ...validity });
    const made = new X509Certificate(certificate);
    expect(made.ca).toBe(true);
    expect(made.checkIssued(made)).toBe(true);
    expect(made.verify(made.publicKey)).toBe(true);
    expect(made.subjectAltName).toBe('URI:spiffe://prod.example');
    expect(made.subject).toMatch(/^O=prod\.example\nCN=Tagplane authority [0-9a-f]{8}$/);
    expect(made.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(made.validFromDate).toEqual(new Date('2030-01-02T03:04:05Z'));
    expect(made.validToDate).toEqual(new Date('2039-12-31T03:04:05Z'));
    expect(certificate).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  it('makes no two alike', async () => {
    const [a, b] = await Promise.all([
      createAuthority({ cluster: 'c', ...validity }),
      createAuthority({ cluster: 'c', ...validity }),
    ]);
    const [first, second] = [new X509Certificate(a.certificate), new X509Certificate(b.certificate)];
    expect(first.subject).not.toBe(second.subject);
    expect(first.serialNumber).not.toBe(second.serialNumber);
    expect(first.checkIssued(second)).toBe(false);
  });

  it('can be good for longer than two-digit years reach', async () => {
    const { certificate } = await createAuthority({
      cluster: 'c',
      validFrom: NOW,
      validUntil: Date.UTC(2062, 5, 1, 0, 0, 0, 999),
    });
    expect(new X509Certificate(certificate).validToDate).toEqual(new Date('2062-06-01T00:00:00Z'));
  });

  it.each([['Prod'], [''], ['a/b'], ['a, CN=x'], ['x'.repeat(64)]])(
    'refuses the cluster %j',
    async (cluster) => {
      await expect(createAuthority({ cluster, ...validity })).rejects.toThrow(RangeError);
    },
  );

  it('refuses a validity that ends before it begins', async () => {
    const backwards = { validFrom: NOW, validUntil: NOW - 1 };
    await expect(createAuthority({ cluster: 'c', ...backwards })).rejects.toThrow(RangeError);
  });
});

describe('crossSign', () => {
  it("has the old one vouch for the new one's key and subject, no longer than both are good", async () => {
    const old = await createAuthority({ cluster: 'c', ...validity });
    const fresh = await createAuthority({
      cluster: 'c',
      validFrom: NOW + DAY,
      validUntil: NOW + 9_999 * DAY,
    });
    const crossed = new X509Certificate(await crossSign({ authority: old, certificate: fresh.certificate }));
    const [oldOne, freshOne] = [new X509Certificate(old.certificate), new X509Certificate(fresh.certificate)];
    expect(crossed.ca).toBe(true);
    expect(crossed.subject).toBe(freshOne.subject);
    expect(crossed.subjectAltName).toBe('URI:spiffe://c');
    expect(crossed.publicKey.equals(freshOne.publicKey)).toBe(true);
    expect(crossed.checkIssued(oldOne)).toBe(true);
    expect(crossed.verify(oldOne.publicKey)).toBe(true);
    expect(crossed.validFromDate).toEqual(freshOne.validFromDate);
    expect(crossed.validToDate).toEqual(oldOne.validToDate);
  });
});
