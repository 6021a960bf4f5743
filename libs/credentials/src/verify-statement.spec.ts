import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { labelsStatement, rolesStatement } from './auth-statement.ts';
import { createStatementSigner } from './statement-signer.ts';
import type { SignedStatement } from './statement-signer.ts';
import { createTestAuthority } from './testing/test-authority.ts';
import type { TestAuthority, TestSubject } from './testing/test-authority.ts';
import { verifyStatement } from './verify-statement.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const AUTH: TestSubject = { uri: 'spiffe://test/auth/auth-1', from: NOW - HOUR, until: NOW + HOUR };
const ROLES = { cluster: 'test', revision: 'abc', issuedAt: NOW, remainingMs: 24 * HOUR };

let old: TestAuthority;
let fresh: TestAuthority;
let stranger: TestAuthority;

beforeAll(async () => {
  [old, fresh, stranger] = (await Promise.all(
    [1, 2, 3].map((generation) => createTestAuthority(generation)),
  )) as [TestAuthority, TestAuthority, TestAuthority];
});

const pem = (der: Uint8Array): string => new X509Certificate(der).toString();
const trusting = (...authorities: TestAuthority[]) => ({
  cluster: 'test',
  trust: { authorities: authorities.map(({ certificate }) => pem(certificate)) },
});

async function signed(
  by: TestAuthority,
  { subject = AUTH, statement = rolesStatement(ROLES), with: chain = [] as Uint8Array[] } = {},
): Promise<SignedStatement> {
  const { issued, privateKey } = await by.issue(subject);
  const certificates = [...issued.certificates, ...chain].map(pem);
  return createStatementSigner({ privateKey, certificates }).sign(statement);
}

describe('verifyStatement', () => {
  it('knows what an auth process of the cluster said, and which', async () => {
    const verified = verifyStatement(await signed(old), { ...trusting(old), now: NOW });
    expect(verified).toEqual({
      ok: true,
      statement: { kind: 'roles', ...ROLES },
      signer: 'spiffe://test/auth/auth-1',
    });
  });

  it('goes through a cross certificate, in either direction of a rotation', async () => {
    const cross = await old.certify(fresh);
    const statement = await signed(fresh, { with: [cross, fresh.certificate, old.certificate] });
    expect(verifyStatement(statement, trusting(old)).ok).toBe(true);
    expect(verifyStatement(statement, trusting(fresh)).ok).toBe(true);
    expect(verifyStatement(statement, trusting(old, fresh)).ok).toBe(true);
    expect(verifyStatement(statement, trusting(stranger)).ok).toBe(false);
    const without = await signed(fresh, { with: [fresh.certificate, old.certificate] });
    expect(verifyStatement(without, trusting(old)).ok).toBe(false);
  });

  it('takes nothing for an authority that is none', async () => {
    const { issued, privateKey } = await old.issue({ ...AUTH, uri: 'spiffe://test/agent/web-1' });
    const [leaf = new Uint8Array()] = issued.certificates;
    // The leaf certifies itself, and anybody brings any authority of their own.
    const signer = createStatementSigner({ privateKey, certificates: [leaf, leaf].map(pem) });
    expect(verifyStatement(signer.sign(rolesStatement(ROLES)), trusting(stranger)).ok).toBe(false);
    const brought = await signed(stranger, { with: [stranger.certificate] });
    expect(verifyStatement(brought, trusting(old)).ok).toBe(false);
  });

  it('still counts when the certificate has ended since, but not when it had ended or begun later', async () => {
    expect(verifyStatement(await signed(old), { ...trusting(old), now: NOW + 100 * HOUR }).ok).toBe(true);
    const ended = await signed(old, { subject: { ...AUTH, until: NOW } });
    expect(verifyStatement(ended, trusting(old))).toMatchObject({ problem: 'the certificate has expired' });
    const later = await signed(old, { subject: { ...AUTH, from: NOW + 1_000 } });
    expect(verifyStatement(later, trusting(old))).toMatchObject({
      problem: 'the certificate is not valid yet',
    });
  });

  it.each(['agent', 'operator', 'discovery'])('refuses what an %s signed', async (role) => {
    const statement = await signed(old, { subject: { ...AUTH, uri: `spiffe://test/${role}/x` } });
    expect(verifyStatement(statement, trusting(old))).toEqual({
      ok: false,
      problem: 'it is not signed by an auth service',
    });
  });

  it('refuses another cluster, in the statement and in the certificate', async () => {
    const other = await signed(old, { statement: rolesStatement({ ...ROLES, cluster: 'other' }) });
    expect(verifyStatement(other, trusting(old))).toMatchObject({ problem: 'it is of another cluster' });
    const foreign = await signed(old, { subject: { ...AUTH, uri: 'spiffe://other/auth/auth-1' } });
    expect(verifyStatement(foreign, trusting(old))).toMatchObject({
      problem: 'the certificate is of another cluster',
    });
  });

  it('knows a statement that was signed together with others, and no other by its proof', async () => {
    const { issued, privateKey } = await old.issue(AUTH);
    const signer = createStatementSigner({ privateKey, certificates: issued.certificates.map(pem) });
    const statements = ['a', 'b', 'c'].map((revision) => rolesStatement({ ...ROLES, revision }));
    const batch = signer.signBatch(statements);
    const against = trusting(old);
    expect(batch.map((each) => verifyStatement(each, against).ok)).toEqual([true, true, true]);
    expect(new Set(batch.map(({ signature }) => signature)).size).toBe(1);
    const [first, second] = batch as [SignedStatement, SignedStatement];
    for (const wrong of [
      { ...first, statement: second.statement },
      { ...first, proof: second.proof },
      { ...first, proof: undefined },
      { ...first, proof: { position: 0, hashes: [] } },
      { ...signer.sign(first.statement), proof: first.proof },
    ]) {
      expect(verifyStatement(wrong, against)).toEqual({ ok: false, problem: 'the signature is not over it' });
    }
  });

  it('refuses the future, but for clocks that differ by a few minutes', async () => {
    const statement = await signed(old);
    expect(verifyStatement(statement, { ...trusting(old), now: NOW - 9 * 60_000 }).ok).toBe(true);
    expect(verifyStatement(statement, { ...trusting(old), now: NOW - 11 * 60_000 })).toMatchObject({
      problem: 'it was issued in the future',
    });
  });

  it('refuses what is missing, and never throws', async () => {
    const good = await signed(old);
    const against = trusting(old);
    for (const wrong of [
      { certificates: [] },
      { certificates: [new Uint8Array(3)] },
      { certificates: [Buffer.from(pem(good.certificates[0] ?? new Uint8Array()))] },
      { certificates: Array.from({ length: 9 }, () => good.certificates[0] ?? new Uint8Array()) },
      { signature: new Uint8Array() },
      { statement: new Uint8Array() },
    ]) {
      expect(verifyStatement({ ...good, ...wrong }, against).ok).toBe(false);
    }
    expect(verifyStatement(good, { cluster: 'test', trust: { authorities: ['no certificate'] } }).ok).toBe(
      false,
    );
  });

  it('refuses a signature by another key, also of another curve', async () => {
    const good = await signed(old);
    const other = await signed(old);
    expect(verifyStatement({ ...good, signature: other.signature }, trusting(old))).toMatchObject({
      problem: 'the signature is not over it',
    });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const signer = createStatementSigner({ privateKey: key, certificates: good.certificates.map(pem) });
    expect(verifyStatement(signer.sign(rolesStatement(ROLES)), trusting(old)).ok).toBe(false);
  });

  it('refuses a statement of which any bit was changed, or of its signature or certificate', async () => {
    const lifetimes = new Map([['aws/', { ageMs: 5_000, remainingMs: HOUR }]]);
    const labels = { cluster: 'test', serverId: 'web-1', revision: 'abc', issuedAt: NOW, lifetimes };
    const good = await signed(old, { statement: labelsStatement(labels) });
    const against = trusting(old);
    expect(verifyStatement(good, against).ok).toBe(true);
    const [leaf = new Uint8Array()] = good.certificates;
    const parts = { statement: good.statement, signature: good.signature, leaf };
    const property = fc.property(
      fc.constantFrom('statement', 'signature', 'leaf'),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (part, at, bit) => {
        const changed = Uint8Array.from(parts[part]);
        const index = at % changed.length;
        changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        const tampered = part === 'leaf' ? { certificates: [changed] } : { [part]: changed };
        expect(verifyStatement({ ...good, ...tampered }, against).ok).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 5_000 });
  });
});
