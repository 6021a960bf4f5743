import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fakeInstance } from '@tagplane/ec2/testing';
import { SECOND } from '@tagplane/runtime';
import type { Expectation, InstanceChange, InstanceState } from './change.ts';
import { EXPECTED_MS, Expectations } from './expectations.ts';

const NOW = 1_800_000_000_000;
const { key } = fakeInstance(1);

type Tags = readonly (readonly [string, string | undefined])[];

const ofTags = (...tags: Tags): Expectation => ({ kind: 'tags', tags: new Map(tags) });
const ofState = (state: InstanceState): Expectation => ({ kind: 'state', state });

function change(expectation: Expectation, at = NOW, version?: number): InstanceChange {
  return { key, at, version, expectation };
}

function expecting(...changes: readonly InstanceChange[]): Expectations {
  const expectations = new Expectations();
  for (const each of changes) expectations.note(each, NOW + 10 * SECOND);
  return expectations;
}

const described = (tags: Record<string, string>, state: InstanceState = 'running') => ({
  state,
  tags: new Map(Object.entries(tags)),
});

describe('a describe', () => {
  it.each<[string, Expectation, ReturnType<typeof described> | undefined, boolean]>([
    ['with the value', ofTags(['a', '1']), described({ a: '1', b: '9' }), false],
    ['with another value', ofTags(['a', '1']), described({ a: '0' }), true],
    ['without the key', ofTags(['a', '1']), described({}), true],
    ['without the removed key', ofTags(['a', undefined]), described({}), false],
    ['with the removed key', ofTags(['a', undefined]), described({ a: '1' }), true],
    ['with one of two', ofTags(['a', '1'], ['b', '2']), described({ a: '1' }), true],
    ['of an instance that has ended meanwhile', ofTags(['a', '1']), described({}, 'terminated'), false],
    ['of an instance that is not there yet', ofTags(['a', '1']), undefined, true],
    ['that says anything, when anything may be', { kind: 'any' }, described({}), false],
    ['of nothing, when anything may be', { kind: 'any' }, undefined, true],
    ['of nothing, when it has ended', ofState('terminated'), undefined, false],
    ['of nothing, when it ends', ofState('shutting-down'), undefined, false],
  ])('%s', (_, expectation, answer, isStale) => {
    expect(expecting(change(expectation)).isStale(key, answer, NOW + 2 * SECOND)).toBe(isStale);
  });

  const ORDER = ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'] as const;
  it.each<[InstanceState, readonly InstanceState[]]>([
    ['pending', ['pending', 'running', 'shutting-down', 'terminated']],
    ['running', ['running', 'stopping', 'shutting-down', 'terminated']],
    ['stopping', ['stopping', 'stopped', 'shutting-down', 'terminated']],
    ['stopped', ['pending', 'stopped', 'shutting-down', 'terminated']],
    ['shutting-down', ['shutting-down', 'terminated']],
    ['terminated', ['terminated']],
  ])('after %s may say %j', (state, fitting) => {
    const expectations = expecting(change(ofState(state)));
    const fresh = ORDER.filter((each) => !expectations.isStale(key, described({}, each), NOW));
    expect(fresh).toEqual(ORDER.filter((each) => fitting.includes(each)));
  });

  it('counts against the event once that is two minutes old', () => {
    const expectations = expecting(change(ofTags(['a', '1'])));
    expect(expectations.isStale(key, described({}), NOW + EXPECTED_MS - 1)).toBe(true);
    expect(expectations.isStale(key, described({}), NOW + EXPECTED_MS)).toBe(false);
    expect(expectations.isStale(key, undefined, NOW + EXPECTED_MS)).toBe(false);
  });

  it('counts against an event from the future as against one of now', () => {
    const expectations = new Expectations();
    expectations.note(change(ofTags(['a', '1']), NOW + 3_600 * SECOND), NOW);
    expect(expectations.isStale(key, described({}), NOW + EXPECTED_MS)).toBe(false);
  });

  it('of an instance that nothing was said of is never too old', () => {
    expect(expecting(change(ofTags(['a', '1']))).isStale(fakeInstance(2).key, described({}), NOW)).toBe(
      false,
    );
  });
});

describe('of several events', () => {
  const wanted = (changes: readonly InstanceChange[], value: string | undefined): boolean =>
    !expecting(...changes).isStale(key, described(value === undefined ? {} : { a: value }), NOW);

  it.each<[string, InstanceChange[], readonly (string | undefined)[]]>([
    ['the newer counts', [change(ofTags(['a', '1'])), change(ofTags(['a', '2']), NOW + SECOND)], ['2']],
    ['in either order', [change(ofTags(['a', '2']), NOW + SECOND), change(ofTags(['a', '1']))], ['2']],
    [
      'of one time, the greater version counts',
      [change(ofTags(['a', '2']), NOW, 8), change(ofTags(['a', '1']), NOW, 7)],
      ['2'],
    ],
    [
      'of one time and no version, both may be',
      [change(ofTags(['a', '2']), NOW, 8), change(ofTags(['a', undefined]), NOW)],
      ['2', undefined],
    ],
    [
      'a later one ends the doubt',
      [change(ofTags(['a', '2'])), change(ofTags(['a', '1'])), change(ofTags(['a', '3']), NOW + SECOND)],
      ['3'],
    ],
    [
      'each key is for itself',
      [change(ofTags(['a', '1'])), change(ofTags(['b', undefined]), NOW + 1)],
      ['1'],
    ],
  ])('%s', (_, changes, values) => {
    const all = ['1', '2', '3', undefined];
    expect(all.filter((value) => wanted(changes, value))).toEqual(
      all.filter((value) => values.includes(value)),
    );
  });

  it('the order in which they come makes no difference, nor does a second copy', () => {
    const one = fc.record({
      at: fc.nat(4).map((n) => NOW + n * SECOND),
      tag: fc.constantFrom('a', 'b'),
      value: fc.constantFrom('1', '2', undefined),
      state: fc.constantFrom<InstanceState | undefined>('running', 'stopped', undefined),
    });
    const made = fc.array(one, { maxLength: 6 }).map((list) =>
      list.map(({ at, tag, value, state }) => {
        return change(state === undefined ? ofTags([tag, value]) : ofState(state), at);
      }),
    );
    const shuffled = made.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, mixed]) => {
        const [plain, other] = [expecting(...list), expecting(...mixed)];
        for (const a of ['1', '2', undefined]) {
          for (const b of ['1', '2', undefined]) {
            for (const state of ['running', 'stopped'] as const) {
              const answer = described({ ...(a && { a }), ...(b && { b }) }, state);
              expect(other.isStale(key, answer, NOW)).toBe(plain.isStale(key, answer, NOW));
            }
          }
        }
      }),
    );
  });
});

describe('a change', () => {
  it('is known once a describe after it had it, whoever tells of it', () => {
    const expectations = expecting(change(ofTags(['a', '1'])));
    expect(expectations.note(change(ofTags(['a', '1'])), NOW)).toBe('news');
    expectations.confirm(key, NOW + 2 * SECOND);
    expect(expectations.note(change(ofTags(['a', '1']), NOW + SECOND, 4), NOW + 3 * SECOND)).toBe('known');
    expect(expectations.note(change(ofTags(['a', '1']), NOW - SECOND), NOW + 3 * SECOND)).toBe('known');
    expect(expectations.note(change(ofTags(['a', '2']), NOW - SECOND), NOW + 3 * SECOND)).toBe('known');
    expect(expectations.note(change(ofTags(['a', '1']), NOW + 3 * SECOND), NOW + 3 * SECOND)).toBe('news');
    expect(expectations.note(change({ kind: 'any' }), NOW + 3 * SECOND)).toBe('news');
  });

  it('is not known when it was the other of two at one time', () => {
    const expectations = expecting(change(ofTags(['a', '1'])));
    expectations.confirm(key, NOW + 2 * SECOND);
    expect(expectations.note(change(ofTags(['a', '2'])), NOW + 3 * SECOND)).toBe('news');
  });

  it('is forgotten in time, or when told to', () => {
    const expectations = expecting(change(ofTags(['a', '1'])));
    expectations.prune(NOW + EXPECTED_MS - 1);
    expect(expectations.size).toBe(1);
    expectations.prune(NOW + EXPECTED_MS);
    expect(expectations.size).toBe(0);
    expectations.note(change(ofTags(['a', '1'])), NOW);
    expectations.forget(key);
    expect(expectations.isStale(key, described({}), NOW)).toBe(false);
  });
});
