import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CredentialsError, credentialsFromIssued, trustFromIssued } from './issued.ts';
import { createKey } from './statements.ts';
import { createTestAuthority } from './testing/test-authority.ts';
import type { TestAuthority } from './testing/test-authority.ts';

let ours: TestAuthority;
let theirs: TestAuthority;

beforeAll(async () => {
  ours = await createTestAuthority(7);
  theirs = await createTestAuthority(7);
});

describe('credentialsFromIssued', () => {
  it('reads off the certificate who its holder is', async () => {
    const parts = await ours.issue({
      dns: 'i-0123456789abcdef0.eu-central-1.123456789012.instance.tagplane.internal',
      from: 1_000,
      until: 5_000,
    });
    const credentials = credentialsFromIssued({ ...parts, cluster: 'test', now: 2_500 });
    expect(credentials).toMatchObject({
      id: 'spiffe://test/agent/web-1',
      role: 'agent',
      name: 'web-1',
      instance: { account: '123456789012', region: 'eu-central-1', instance: 'i-0123456789abcdef0' },
      privateKey: parts.privateKey,
      trust: {
        cluster: 'test',
        generation: 7,
        authorities: [new X509Certificate(ours.certificate).toString()],
      },
      validFrom: 1_000,
      validUntil: 5_000,
      receivedAt: 2_500,
    });
  });

  it('takes a certificate that by this clock is not valid: two clocks need not agree', async () => {
    const past = await ours.issue({ from: 1_000, until: 2_000 });
    expect(credentialsFromIssued({ ...past, cluster: 'test' }).validUntil).toBe(2_000);
    const future = await ours.issue({ from: Date.now() + 3_600_000, until: Date.now() + 7_200_000 });
    expect(credentialsFromIssued({ ...future, cluster: 'test' }).name).toBe('web-1');
  });

  it('refuses a certificate for another key', async () => {
    const { issued } = await ours.issue();
    const { privateKey } = createKey();
    const make = () => credentialsFromIssued({ issued, privateKey, cluster: 'test' });
    expect(make).toThrow(CredentialsError);
    expect(make).toThrow(/another key/);
  });

  it('refuses a certificate that its own bundle does not vouch for', async () => {
    const { issued, privateKey } = await ours.issue();
    const foreign = { ...issued, authorities: [theirs.certificate] };
    expect(() => credentialsFromIssued({ issued: foreign, privateKey, cluster: 'test' })).toThrow(
      /not one of this cluster/,
    );
    // One that does, among others, is enough.
    const both = { ...issued, authorities: [theirs.certificate, ours.certificate] };
    expect(credentialsFromIssued({ issued: both, privateKey, cluster: 'test' }).name).toBe('web-1');
  });

  it.each([
    ['of another cluster', { uri: 'spiffe://other/agent/web-1' }, /another cluster/],
    ['that names nobody', { uri: 'https://example.com/' }, /names no identity/],
    [
      'of an instance that is no agent',
      {
        uri: 'spiffe://test/operator/a',
        dns: 'i-01234567.eu-central-1.123456789012.instance.tagplane.internal',
      },
      /only an agent/,
    ],
  ])('refuses a certificate %s', async (_, subject, message) => {
    const parts = await ours.issue(subject);
    expect(() => credentialsFromIssued({ ...parts, cluster: 'test' })).toThrow(message);
  });

  it.each([
    ['no certificate at all', [], /not a certificate/],
    ['bytes that are none', [new Uint8Array([1, 2, 3])], /not a certificate/],
  ])('refuses %s', async (_, certificates, message) => {
    const { issued, privateKey } = await ours.issue();
    const broken = { ...issued, certificates };
    expect(() => credentialsFromIssued({ issued: broken, privateKey, cluster: 'test' })).toThrow(message);
  });
});

describe('trustFromIssued', () => {
  it('keeps generation and authorities', () => {
    const trust = trustFromIssued('test', { generation: 3, authorities: [ours.certificate] });
    expect(trust).toMatchObject({ cluster: 'test', generation: 3 });
    expect(new X509Certificate(trust.authorities[0] ?? '').raw.equals(ours.certificate)).toBe(true);
  });
});
