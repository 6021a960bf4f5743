import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SignedStatement } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import { HOUR, MINUTE } from '@tagplane/runtime';
import type { HeldLifetime } from '@tagplane/session';
import { checkLabels, checkRoles, limitLabels, limitRoles } from './statements.ts';
import type { Checked } from './statements.ts';
import { FakeSigner, heldOf, heldRolesOf, sampleRole } from './testing/index.ts';

const NOW = Date.now();
const HELD = heldOf(new Map([['aws/env', 'prod']]), HOUR, { wallMs: NOW, monotonicMs: 0, boot: 'b' });
const ROLES = heldRolesOf([sampleRole('dev')], 24 * HOUR);
const LIFE: HeldLifetime = { ageMs: 1_000, remainingMs: HOUR };
const LIVES = new Map([
  ['aws/', LIFE],
  ['dynamic/', LIFE],
]);

let authority: TestAuthority;
let stranger: TestAuthority;
let signer: FakeSigner;

beforeAll(async () => {
  authority = await TestAuthority.create();
  stranger = await TestAuthority.create();
  signer = await FakeSigner.create(authority);
});

function check(signed: SignedStatement, now?: number): Checked<unknown> {
  return checkLabels(signed, { serverId: 'web-1', held: HELD }, authority.trust, now);
}

describe('checkLabels', () => {
  it('takes what an auth process said of this server and these labels', () => {
    const signed = signer.labels('web-1', HELD.revision, LIVES);
    expect(check(signed)).toMatchObject({ ok: true, statement: { serverId: 'web-1', lifetimes: LIVES } });
    expect(check(signed, NOW)).toMatchObject({ ok: true });
  });

  it.each<[string, () => Promise<SignedStatement> | SignedStatement, RegExp]>([
    ['another server', () => signer.labels('web-2', HELD.revision, LIVES), /another server/],
    ['other labels', () => signer.labels('web-1', 'r', LIVES), /other labels/],
    [
      'a part of them',
      () => signer.labels('web-1', HELD.revision, new Map([['aws/', LIFE]])),
      /nothing of dynamic/,
    ],
    ['roles', () => signer.roles(HELD.revision, HOUR), /not for labels/],
    [
      'another cluster',
      async () => (await signerOf('other')).labels('web-1', HELD.revision, LIVES),
      /another cluster/,
    ],
    [
      'an authority that is not trusted',
      async () => (await FakeSigner.create(stranger)).labels('web-1', HELD.revision, LIVES),
      /its signature: /,
    ],
    [
      'who is no auth process',
      async () =>
        (await FakeSigner.create(authority, { role: 'agent', name: 'web-1' })).labels(
          'web-1',
          HELD.revision,
          LIVES,
        ),
      /not signed by an auth service/,
    ],
    [
      'a signature of something else',
      () => ({ ...signer.labels('web-1', HELD.revision, LIVES), statement: signer.roles('r', 1).statement }),
      /its signature: /,
    ],
    [
      'nobody',
      () => ({ ...signer.labels('web-1', HELD.revision, LIVES), certificates: [] }),
      /no certificate/,
    ],
  ])('refuses what is signed for %s', async (_, make, problem) => {
    expect(check(await make())).toEqual({ ok: false, problem: expect.stringMatching(problem) });
  });

  it('refuses what was kept from the future', () => {
    const signed = signer.labels('web-1', HELD.revision, LIVES, NOW + 11 * MINUTE);
    expect(check(signed, NOW)).toMatchObject({ ok: false, problem: expect.stringMatching(/future/) });
    expect(check(signed)).toMatchObject({ ok: true });
  });
});

async function signerOf(cluster: string): Promise<FakeSigner> {
  return await FakeSigner.create(await TestAuthority.create(cluster));
}

describe('checkRoles', () => {
  it('takes these roles, and no others', () => {
    expect(checkRoles(signer.roles(ROLES.revision, HOUR), ROLES, authority.trust).ok).toBe(true);
    expect(checkRoles(signer.roles('r', HOUR), ROLES, authority.trust)).toMatchObject({
      problem: expect.stringMatching(/other roles/),
    });
    const labels = signer.labels('web-1', ROLES.revision, LIVES);
    expect(checkRoles(labels, ROLES, authority.trust)).toMatchObject({
      problem: expect.stringMatching(/not for roles/),
    });
  });
});

describe('what a statement leaves of a life', () => {
  const at = (ms: number) => ({ wallMs: NOW + ms, monotonicMs: ms, boot: 'b' });

  it.each([
    // By its own clock the agent got them later than the auth service said them.
    [20 * MINUTE, HOUR, 40 * MINUTE],
    // What the clocks may differ by is not counted.
    [20 * MINUTE, 45 * MINUTE, 35 * MINUTE],
    [20 * MINUTE, 10 * MINUTE, 0],
    [0, 20 * MINUTE, 20 * MINUTE],
  ])('is the smaller, after %i ms with %i ms stated: %i ms', (passed, stated, left) => {
    const word = checkLabels(
      signer.labels(
        'web-1',
        HELD.revision,
        new Map([...LIVES, ['aws/', { ...LIFE, remainingMs: stated }]]),
        NOW,
      ),
      { serverId: 'web-1', held: HELD },
      authority.trust,
    );
    if (!word.ok) throw new Error(word.problem);
    const limited = limitLabels(HELD, word.statement, at(passed));
    expect(limited.sets[0]).toMatchObject({ remainingMs: left, ageMs: passed + 1_000 });
    expect(limited.asOf).toEqual(at(passed));
  });

  it('is that of the roles too', () => {
    const word = checkRoles(signer.roles(ROLES.revision, HOUR, NOW), ROLES, authority.trust);
    if (!word.ok) throw new Error(word.problem);
    expect(limitRoles(24 * HOUR, word.statement, at(20 * MINUTE))).toBe(50 * MINUTE);
    expect(limitRoles(MINUTE, word.statement, at(0))).toBe(MINUTE);
    expect(limitRoles(24 * HOUR, word.statement, at(2 * HOUR))).toBe(0);
  });
});
