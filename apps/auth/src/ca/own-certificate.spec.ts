import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { identifyCertificate, publicKeyPin } from '@tagplane/identity';
import { SealError } from '@tagplane/pki';
import { subjectOf } from '../testing/test-ca.ts';
import type { StableCa } from './ca-record.ts';
import { issueFrom } from './issue-from.ts';
import { newCa, newMaterial, openCa } from './opened-ca.ts';
import type { OpenedCa } from './opened-ca.ts';
import { makeOwnCertificate, serverCredentials, ticketKeys, untilNextDay } from './own-certificate.ts';
import { nextRecord } from './rotation.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2030, 0, 2, 3, 4, 5);
const key = randomBytes(32);

let record: StableCa;
let stable: OpenedCa;
let trusting: OpenedCa;
let signing: OpenedCa;

beforeAll(async () => {
  record = await newCa('test', key, NOW);
  stable = openCa(record, key);
  trusting = stepped(stable, 'trust', await newMaterial(stable, key, NOW));
  signing = stepped(trusting, 'sign');
});

function stepped(
  from: OpenedCa,
  ...[step, material]: ['trust' | 'sign', Parameters<typeof nextRecord>[3]?]
): OpenedCa {
  const next = nextRecord(from.record, step, NOW, material);
  if (next === undefined) throw new Error(`no ${step} here`);
  return openCa(next, key);
}

describe('openCa', () => {
  it('trusts both authorities during a rotation, the one that signs first', () => {
    expect(trusting.pins).toEqual([signing.pins[1], signing.pins[0]]);
    expect(trusting.pins[0]).toBe(stable.pins[0]);
    expect(signing.authorities.map(publicKeyPin)).toEqual(signing.pins);
  });

  it('opens with its own key only, for its own cluster and certificate only', () => {
    expect(() => openCa(record, randomBytes(32))).toThrow(SealError);
    expect(() => openCa({ ...record, cluster: 'other' }, key)).toThrow(SealError);
    const { record: rotating } = signing;
    if (rotating.phase === 'stable') throw new Error('no rotation');
    const swapped = { ...rotating.fresh, sealedKey: record.authority.sealedKey };
    expect(() => openCa({ ...rotating, fresh: swapped }, key)).toThrow(SealError);
    expect(() => openCa({ ...rotating, old: swapped }, key)).toThrow(SealError);
  });
});

describe('issueFrom', () => {
  it('issues for a while back and the time asked for', async () => {
    const { issued, identity } = await issueFrom(stable, subjectOf('agent', 'web-1'), {
      now: NOW,
      ttlMs: HOUR,
    });
    const [certificate] = issued.certificates.map((der) => new X509Certificate(der));
    expect(certificate?.validFromDate.getTime()).toBe(NOW - HOUR / 4);
    expect(identity).toEqual({
      peer: { role: 'agent', name: 'web-1', proof: 'certificate' },
      id: 'spiffe://test/agent/web-1',
      issuer: stable.pins[0],
      validUntil: NOW + HOUR,
    });
    expect(issued.generation).toBe(1);
    expect(issued.authorities).toEqual(stable.authorities.map(({ raw }) => raw));
  });

  it('issues nothing beyond the end of the authority', async () => {
    const end = stable.authorities[0]?.validToDate.getTime() ?? 0;
    const late = await issueFrom(stable, subjectOf('agent', 'a'), { now: end - HOUR, ttlMs: 12 * HOUR });
    expect(late.identity.validUntil).toBe(end);
    const tooLate = issueFrom(stable, subjectOf('agent', 'a'), { now: end, ttlMs: HOUR });
    await expect(tooLate).rejects.toThrow('the authority that signs has ended');
  });
});

describe("the server's credentials", () => {
  it.each([
    ['stable', () => stable, ['auth', 'own']],
    ['trusting', () => trusting, ['auth', 'own']],
    ['signing', () => signing, ['auth', 'cross', 'own', 'old']],
  ])('while %s', async (_phase, ca, shape) => {
    const own = await makeOwnCertificate(ca(), 'auth-1', { now: NOW, ttlMs: 12 * HOUR });
    const credentials = serverCredentials(ca(), own, NOW);
    const chain = credentials.certificates.map((pem) => new X509Certificate(pem));
    expect(chain).toHaveLength(shape.length);
    const [leaf] = chain;
    const trust = { cluster: 'test', authorities: ca().authorities };
    expect(leaf && identifyCertificate(leaf, trust, NOW)).toMatchObject({
      ok: true,
      peer: { role: 'auth', name: 'auth-1' },
      issuer: ca().pins[0],
    });
    // Every pin that is trusted and can vouch for the leaf is found by who joins.
    const shown = new Set(chain.slice(1).map(publicKeyPin));
    expect(shown).toEqual(new Set(shape.includes('cross') ? ca().pins : [ca().pins[0]]));
    expect(credentials.authorities.map((pem) => publicKeyPin(new X509Certificate(pem)))).toEqual(ca().pins);
    expect(leaf?.checkPrivateKey(createPrivateKey(credentials.privateKey))).toBe(true);
  });

  it('are renewed at two thirds of their life, more or less', async () => {
    const { renewAt, validUntil } = await makeOwnCertificate(stable, 'auth-1', {
      now: NOW,
      ttlMs: 12 * HOUR,
    });
    expect(validUntil).toBe(NOW + 12 * HOUR);
    expect(renewAt).toBeGreaterThanOrEqual(NOW + 7.6 * HOUR);
    expect(renewAt).toBeLessThanOrEqual(NOW + 8.4 * HOUR);
  });
});

describe('ticketKeys', () => {
  it('are the same for a day and all who have the authority, and others after', () => {
    const noon = Date.UTC(2030, 0, 2, 12);
    const again = openCa(record, key).signer.privateKey;
    const of = (now: number): string => Buffer.from(ticketKeys(again, now)).toString('hex');
    expect(ticketKeys(again, noon)).toHaveLength(48);
    expect(of(noon)).toBe(
      Buffer.from(ticketKeys(stable.signer.privateKey, noon - 12 * HOUR)).toString('hex'),
    );
    expect(of(noon)).not.toBe(of(noon + 12 * HOUR));
    expect(of(noon)).not.toBe(of(noon - 13 * HOUR));
    expect(of(noon)).not.toBe(Buffer.from(ticketKeys(signing.signer.privateKey, noon)).toString('hex'));
    expect(untilNextDay(noon)).toBe(12 * HOUR);
    expect(untilNextDay(noon + 12 * HOUR)).toBe(24 * HOUR);
  });
});
