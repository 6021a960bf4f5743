import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLargeLoss, lossOf, scopeOfName, sumUpLosses } from './loss.ts';
import type { Losing } from './loss.ts';
import { packLabels } from './pack.ts';

const packed = (labels: Record<string, string>): string => packLabels(new Map(Object.entries(labels)));

describe('what an instance would lose', () => {
  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['a label', packed({ a: '1', b: '2' }), packed({ a: '1' }), 'labels'],
    ['a value', packed({ a: '1' }), packed({ a: '2' }), 'labels'],
    ['all labels', packed({ a: '1' }), packed({}), 'labels'],
    ['itself', packed({ a: '1' }), undefined, 'gone'],
    ['nothing: a label more', packed({ a: '1' }), packed({ b: '2', a: '1' }), undefined],
    ['nothing: the same', packed({ a: '1' }), packed({ a: '1' }), undefined],
    ['nothing: another order', packed({ a: '1', b: '2' }), packed({ b: '2', a: '1' }), undefined],
    ['nothing: it had no labels', packed({}), undefined, undefined],
    ['nothing: it was not known', undefined, packed({ a: '1' }), undefined],
  ])('%s', (_, held, next, loss) => {
    expect(lossOf(held, next)).toBe(loss);
  });

  it('is nothing exactly when everything it had is still there', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.constantFrom('1', '2'));
    fc.assert(
      fc.property(labels, labels, (before, after) => {
        const kept = Object.entries(before).every(([key, value]) => after[key] === value);
        expect(lossOf(packed(before), packed(after)) === undefined).toBe(kept);
      }),
    );
  });
});

const nameOf = (n: number, region = 'eu-central-1'): string =>
  `aws-123456789012-${region}-i-${n.toString(16).padStart(17, '0')}`;
const losing = (n: number, change: Partial<Losing> = {}): Losing => ({
  name: nameOf(n),
  loss: 'labels',
  target: 'r2',
  ...change,
});

describe('losses of a scope', () => {
  const scope = 'aws/123456789012/eu-central-1';
  const labelled = (place: string): number => (place === 'aws-123456789012-eu-central-1' ? 3 : 1);

  it('are summed up by account and region, what is gone apart', () => {
    const losses = [
      losing(1),
      losing(2, { loss: 'gone' }),
      losing(3),
      losing(4, { name: nameOf(4, 'eu-west-1') }),
    ];
    const sums = sumUpLosses(losses, labelled).map((sum) => [sum.scope, sum.losing.length, sum.total]);
    expect(sums).toEqual([
      [scope, 2, 3],
      [`${scope}/gone`, 1, 3],
      ['aws/123456789012/eu-west-1', 1, 1],
    ]);
  });

  it('have one fingerprint in any order, and another one for another content', () => {
    const print = (...losses: Losing[]): string | undefined => sumUpLosses(losses, labelled)[0]?.fingerprint;
    expect(print(losing(1), losing(2))).toBe(print(losing(2), losing(1)));
    expect(print(losing(1))).not.toBe(print(losing(2)));
    expect(print(losing(1))).not.toBe(print(losing(1, { target: 'r3' })));
  });

  it('are never more than the whole: what has run out meanwhile still counts', () => {
    expect(sumUpLosses([losing(1), losing(2)], () => 0)[0]?.total).toBe(2);
  });

  it.each([
    [19, 19, false],
    [20, 20, true],
    [20, 66, true],
    [20, 67, false],
    [300, 1_000, true],
    [299, 1_000, false],
  ])('of %i instances of %i are large: %s', (count, total, large) => {
    const losses = Array.from({ length: count }, (_, n) => losing(n));
    expect(isLargeLoss({ fresh: losses.length, total })).toBe(large);
  });

  it('belong to no scope without a discovered name', () => {
    expect(scopeOfName('db-1')).toBeUndefined();
    expect(sumUpLosses([losing(1, { name: 'db-1' })], labelled)).toEqual([]);
  });
});
