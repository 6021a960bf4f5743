import { describe, expect, it } from '@jest/globals';
import { labelsRevision } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import fc from 'fast-check';
import type { ClockReading } from './agent-clock.ts';
import { freshness, heldAgeMs, heldRemainingMs } from './agent-labels.ts';
import type { HeldLabels } from './agent-labels.ts';
import { planUpdate } from './agent-update.ts';
import type { OfferedSet, OfferedUpdate } from './agent-update.ts';

const MINUTE = 60_000;

function at(ms: number): ClockReading {
  return { wallMs: 1e12 + ms, monotonicMs: ms, boot: 'a' };
}

function set(
  namespace: string,
  labels: Record<string, string>,
  ageMs?: number,
  remainingMs?: number,
): OfferedSet {
  return { namespace, labels: new Map(Object.entries(labels)), ageMs, remainingMs };
}

function replace(sets: readonly OfferedSet[], revision?: string): OfferedUpdate {
  const all: Labels = new Map(sets.flatMap(({ labels }) => [...labels]));
  return { nonce: 'n', revision: revision ?? labelsRevision(all), change: { kind: 'replace', sets } };
}

function renew(revision: string, namespace: string, ageMs?: number, remainingMs?: number): OfferedUpdate {
  const lifetimes = new Map([[namespace, { ageMs, remainingMs }]]);
  return { nonce: 'n', revision, change: { kind: 'renew', lifetimes } };
}

function accepted(held: HeldLabels | undefined, update: OfferedUpdate, now: ClockReading): HeldLabels {
  const plan = planUpdate(held, update, now);
  if (plan.kind === 'refuse') throw new Error(plan.reason);
  return plan.held;
}

const AWS = set('aws/', { 'aws/env': 'prod' }, MINUTE, 10 * MINUTE);
const DYNAMIC = set('dynamic/', { 'dynamic/team': 'core' });

describe('planUpdate, replace', () => {
  it('takes the whole sets, and an age of its own for each', () => {
    const held = accepted(undefined, replace([AWS, DYNAMIC]), at(0));
    expect(held.sets).toEqual([AWS, DYNAMIC]);
    expect(heldAgeMs(held, at(MINUTE))).toBe(2 * MINUTE);
    expect(heldRemainingMs(held, at(MINUTE))).toBe(9 * MINUTE);
  });

  it('forgets a namespace that is not named, and everything when none is', () => {
    const held = accepted(undefined, replace([AWS, DYNAMIC]), at(0));
    expect(accepted(held, replace([DYNAMIC]), at(1)).sets).toEqual([DYNAMIC]);
    const empty = accepted(held, replace([]), at(1));
    expect(empty).toMatchObject({ revision: '', sets: [] });
  });

  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`aws/${index}`, '']));
  it.each([
    ['an unknown namespace', replace([set('gcp/', { 'gcp/env': 'secret' })]), /unknown namespace "gcp\/"/],
    ['a namespace twice', replace([AWS, AWS]), /two sets for aws\//],
    ['a key under another namespace', replace([set('aws/', { 'dynamic/env': 'secret' })]), /not under aws\//],
    ['a bare key', replace([set('aws/', { env: 'secret' })]), /not under aws\//],
    ['an empty key', replace([set('aws/', { 'aws/': 'secret' })]), /empty/],
    ['a long value', replace([set('aws/', { 'aws/env': 'secret'.repeat(100) })]), /longer than 256/],
    ['too many labels', replace([set('aws/', many)]), /at most/],
    ['a wrong revision', replace([AWS], 'f'.repeat(32)), /revision/],
    [
      'an unknown kind',
      { nonce: 'n', revision: '', change: { kind: 'unknown' } } satisfies OfferedUpdate,
      /does not know/,
    ],
  ])('refuses %s, without naming a value', (_, update, reason) => {
    const plan = planUpdate(undefined, update, at(0));
    expect(plan).toEqual({ kind: 'refuse', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(plan)).not.toContain('secret');
  });
});

describe('planUpdate, renew', () => {
  const held = accepted(undefined, replace([AWS, DYNAMIC]), at(0));

  it('gives what is held a new lifetime, and leaves the other namespace its own', () => {
    const both = replace([AWS, set('dynamic/', { 'dynamic/team': 'core' }, 0, 20 * MINUTE)]);
    const before = accepted(undefined, both, at(0));
    const after = accepted(before, renew(before.revision, 'aws/', 0, 30 * MINUTE), at(5 * MINUTE));
    expect(after.sets.map((one) => one.remainingMs)).toEqual([30 * MINUTE, 15 * MINUTE]);
    expect(after.sets.map((one) => one.ageMs)).toEqual([0, 5 * MINUTE]);
    expect(after.revision).toBe(before.revision);
  });

  it('makes labels that ran out count again', () => {
    expect(freshness(held, at(10 * MINUTE))).toMatchObject({ fresh: [{ namespace: 'dynamic/' }] });
    const after = accepted(held, renew(held.revision, 'aws/', 0, MINUTE), at(20 * MINUTE));
    expect(freshness(after, at(20 * MINUTE)).stale).toEqual([]);
  });

  it.each([
    ['of another revision', held, renew('f'.repeat(32), 'aws/')],
    ['when nothing is held', undefined, renew('', 'aws/')],
    ['of an unknown namespace', held, renew(held.revision, 'gcp/')],
  ])('is refused %s', (_, before, update) => {
    expect(planUpdate(before, update, at(0)).kind).toBe('refuse');
  });

  it('renews nothing when nothing is what is held', () => {
    const empty = accepted(undefined, replace([]), at(0));
    expect(planUpdate(empty, renew('', 'aws/', 0, MINUTE), at(1)).kind).toBe('accept');
  });
});

describe('lifetimes', () => {
  it('never rise as time passes, and a label that ran out stays so', () => {
    const lifetime = fc.option(fc.integer({ min: -MINUTE, max: 100 * MINUTE }), { nil: undefined });
    fc.assert(
      fc.property(lifetime, fc.nat(200 * MINUTE), fc.nat(200 * MINUTE), (remaining, first, more) => {
        const held = accepted(undefined, replace([set('aws/', { 'aws/a': 'b' }, 0, remaining)]), at(0));
        const early = heldRemainingMs(held, at(first));
        const late = heldRemainingMs(held, at(first + more));
        if (remaining === undefined) expect(late).toBeUndefined();
        else expect(late).toBeLessThanOrEqual(early ?? -1);
        const staleThen = freshness(held, at(first)).stale.length;
        expect(freshness(held, at(first + more)).stale.length).toBeGreaterThanOrEqual(staleThen);
        expect(staleThen).toBe(remaining !== undefined && remaining <= first ? 1 : 0);
      }),
    );
  });
});
