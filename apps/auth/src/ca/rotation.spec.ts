import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CaRecord, StableCa } from './ca-record.ts';
import { trustedAuthorities } from './ca-record.ts';
import type { Follower } from './follower.ts';
import { blockedReason, forwardStep, misplacedReason, nextRecord, outlasts } from './rotation.ts';
import type { RotationStep } from './rotation.ts';

const [A, B] = [
  { certificate: 'A', sealedKey: 'a' },
  { certificate: 'B', sealedKey: 'b' },
];
const material = { fresh: B, cross: 'B by A' };
const stable: StableCa = {
  cluster: 'c',
  createdAt: 1,
  phase: 'stable',
  phaseSince: 1,
  generation: 4,
  bootstrap: { at: 2, by: 'operator/admin' },
  authority: A,
};
const both = { ...stable, old: A, ...material, authority: undefined };
const trusting: CaRecord = { ...both, phase: 'trusting' };
const signing: CaRecord = { ...both, phase: 'signing' };
const STEPS: readonly RotationStep[] = ['trust', 'sign', 'drop', 'cancel'];

function step(record: CaRecord, to: RotationStep): string {
  const next = nextRecord(record, to, 99, material);
  if (next === undefined) return 'refused';
  expect(misplacedReason(record, to)).toBeUndefined();
  expect(next).toMatchObject({
    generation: record.generation + 1,
    phaseSince: 99,
    bootstrap: stable.bootstrap,
  });
  return `${next.phase} ${trustedAuthorities(next)
    .map(({ certificate }) => certificate)
    .join('')}`;
}

describe('nextRecord', () => {
  it.each<[string, CaRecord, RotationStep, string]>([
    ['stable', stable, 'trust', 'trusting AB'],
    ['stable', stable, 'sign', 'refused'],
    ['stable', stable, 'drop', 'refused'],
    ['stable', stable, 'cancel', 'refused'],
    ['trusting', trusting, 'trust', 'refused'],
    ['trusting', trusting, 'sign', 'signing BA'],
    ['trusting', trusting, 'drop', 'refused'],
    ['trusting', trusting, 'cancel', 'stable A'],
    ['signing', signing, 'trust', 'refused'],
    ['signing', signing, 'sign', 'refused'],
    ['signing', signing, 'drop', 'stable B'],
    ['signing', signing, 'cancel', 'trusting AB'],
  ])('from %s', (_phase, record, to, expected) => {
    expect(step(record, to)).toBe(expected);
    expect(misplacedReason(record, to) === undefined).toBe(expected !== 'refused');
  });

  it('begins with nothing less than a new authority', () => {
    expect(nextRecord(stable, 'trust', 99)).toBeUndefined();
  });

  it('never stops trusting who signed before the step, unless that is what it is for', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 20 }), (steps) => {
        let record: CaRecord = stable;
        steps.forEach((each, i) => {
          const fresh = { certificate: `new ${i}`, sealedKey: '' };
          const next = nextRecord(record, each, i, { fresh, cross: '' });
          if (next === undefined) return;
          const [signer] = trustedAuthorities(record);
          const [nextSigner] = trustedAuthorities(next);
          expect(trustedAuthorities(next)).toContain(signer);
          expect(trustedAuthorities(record)).toContain(nextSigner);
          expect(next.generation).toBe(record.generation + 1);
          record = next;
        });
      }),
    );
  });
});

describe('forwardStep', () => {
  it('leads through all phases', () => {
    expect([stable, trusting, signing].map(forwardStep)).toEqual(['trust', 'sign', 'drop']);
  });
});

describe('blockedReason', () => {
  const good: Follower = { authId: 'a1', generation: 4, peers: 3, trusting: 3, renewed: 3, waitingFor: [] };
  const behind = { ...good, authId: 'a2', generation: 3 };
  const untold = { ...good, trusting: 1 };
  const old = { ...good, renewed: 2 };
  const alone = { ...good, peers: 0, trusting: 0, renewed: 0 };

  it.each<[string, CaRecord, RotationStep, Follower[], string | undefined]>([
    ['a new authority hurts nobody', stable, 'trust', [behind], undefined],
    ['going back to signing with a trusted one hurts nobody', signing, 'cancel', [behind], undefined],
    ['nobody reports', trusting, 'sign', [], 'no auth process has reported yet'],
    ['all follow', trusting, 'sign', [good, good], undefined],
    ['nobody is connected', trusting, 'sign', [alone], undefined],
    ['an auth process is behind', trusting, 'sign', [good, behind], 'not followed yet by auth a2'],
    ['peers hold an older bundle', trusting, 'sign', [good, untold], '2 of 6 peers do not hold the present'],
    ['certificates of the old one do not matter yet', trusting, 'sign', [old], undefined],
    ['all have renewed', signing, 'drop', [good], undefined],
    ['one has not', signing, 'drop', [good, old], '1 of 6 peers still have a certificate of the other'],
    ['an auth process is behind', signing, 'drop', [behind], 'not followed yet by auth a2'],
    ['nothing of the new one is in use', trusting, 'cancel', [good], undefined],
    ['something of the new one is', trusting, 'cancel', [old], '1 of 3 peers still have a certificate'],
  ])('%s', (_what, record, to, followers, expected) => {
    const reason = blockedReason(record, to, followers);
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(expected);
  });
});

describe('outlasts', () => {
  it.each<[string, Partial<StableCa>, boolean]>([
    ['the same record', {}, false],
    ['a step behind', { generation: 3 }, true],
    ['a step ahead', { generation: 5 }, false],
    ['an authority made later, however far it is', { createdAt: 2, generation: 9 }, true],
    ['an authority made earlier', { createdAt: 0, generation: 1 }, false],
    ['another cluster', { cluster: 'd', generation: 1 }, false],
  ])('%s in the store', (_what, changes, expected) => {
    expect(outlasts(stable, { ...stable, ...changes })).toBe(expected);
  });
});
