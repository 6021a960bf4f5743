import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Truth } from './compile-selector.ts';
import { MAX_SELECTOR_TERMS, MAX_TERM_VALUES, compileSelector, selectorProblem } from './compile-selector.ts';
import type { Labels } from './labels.ts';
import { parseSelector } from './parse-selector.ts';
import { patternOfText } from './pattern.ts';
import { EVERY_NODE } from './selector.ts';
import type { Selector } from './selector.ts';

function matches(pattern: string, value: string): boolean {
  return compileSelector({ terms: [{ key: 'k', values: [pattern] }] }).matches(new Map([['k', value]]));
}

describe('a pattern', () => {
  it.each([
    ['web', ['web'], ['', 'Web', 'web ', 'aweb', 'webb']],
    ['', [''], [' ', 'a']],
    ['*', ['', 'a', 'a\nb', '*'], []],
    ['web-*', ['web-', 'web-1', 'web-*'], ['web', 'aweb-1']],
    ['*-1', ['-1', 'a-1', '-1-1'], ['-12', '1']],
    ['a*a', ['aa', 'aba', 'aaa'], ['a', 'ab', 'ba']],
    ['a*b*c', ['abc', 'a-b-c', 'abbc', 'aXbbXc'], ['ac', 'acb', 'abcd']],
    ['**', ['', 'a'], []],
    ['*ab*ab*', ['abab', 'xabxabx'], ['ab', 'aab', 'aba']],
    ['a.c', ['a.c'], ['abc']],
    ['\\*', ['*'], ['', 'a', '\\*']],
    ['a\\\\*', ['a\\', 'a\\b'], ['a*']],
    ['\\^a$', ['^a$'], ['a']],
    ['a$', ['a$'], ['a']],
    ['^web-[0-9]+$', ['web-1', 'web-42'], ['web-', 'aweb-1', 'web-1\n', 'web-1 ']],
    ['^a|b$', ['a', 'b'], ['ab', 'ax', 'xb']],
    ['^.*$', ['', 'a', '🚀'], ['a\nb']],
    ['^(?i)PROD$', ['prod', 'Prod'], ['prod1']],
    ['^.$', ['a', '🚀', 'ä'], ['', 'ab']],
    ['^\\p{Greek}+$', ['αβ'], ['ab']],
    ['^$', [''], ['a', '\n']],
    ['^^a$$', ['a'], ['^a$']],
  ])('%j matches whole values only', (pattern, yes, no) => {
    expect(yes.filter((value) => !matches(pattern, value))).toEqual([]);
    expect(no.filter((value) => matches(pattern, value))).toEqual([]);
  });

  it('of a text matches that text and no other', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.stringMatching(/^[\\*^$a]{0,5}$/),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(matches(patternOfText(a), a)).toBe(true);
        expect(matches(patternOfText(a), b)).toBe(a === b);
      }),
      { numRuns: 10_000 },
    );
  });

  it('with * matches as the slow, obvious way does', () => {
    const glob = fc.stringMatching(/^[ab*]{0,8}$/);
    const value = fc.stringMatching(/^[ab]{0,10}$/);
    fc.assert(
      fc.property(glob, value, (pattern, each) => {
        expect(matches(pattern, each)).toBe(obvious(pattern, each));
      }),
      { numRuns: 10_000 },
    );
  });
});

function obvious(glob: string, value: string): boolean {
  if (glob === '') return value === '';
  const rest = glob.slice(1);
  if (glob.startsWith('*')) return obvious(rest, value) || (value !== '' && obvious(glob, value.slice(1)));
  return value.startsWith(glob.charAt(0)) && obvious(rest, value.slice(1));
}

describe('a regular expression', () => {
  // Each takes a backtracking engine longer than the age of the universe.
  it.each([
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '^(.*a){20}$',
    '^([a-z]+)*b?$',
    '^(a?){190}a{190}$',
    '^(((a*)*)*)*$',
    '^(\\w*\\s?\\w*)*$',
  ])('%s ends on a long value that it does not match', (pattern) => {
    expect(matches(pattern, `${'a'.repeat(255)}!`)).toBe(false);
    expect(matches(pattern, '!'.repeat(256))).toBe(false);
  });

  it('with more states than can be kept ends on all values', () => {
    const compiled = compileSelector(parseSelector('k=^.*a.{200}$'));
    let found = 0;
    for (let index = 0; index < 3000; index += 1) {
      const value = Array.from({ length: 256 }, (_, at) => ((index * 31 + at * at) % 7 < 3 ? 'a' : 'b')).join(
        '',
      );
      if (compiled.matches(new Map([['k', value]]))) found += 1;
    }
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(3000);
  });

  it.each([
    [
      '^(a{1000}){1000}$',
      /^this regular expression is too large: it takes more than 1000 instructions, at character 1 of /,
    ],
    ['^(x{0,1000}){0,1}$', /^this regular expression is too large/],
    [`^(${'a{1000}'.repeat(140)})$`, /^this regular expression is too large/],
    [`^${'(x{30}){30}'.repeat(20)}$`, /^this regular expression is too large/],
    [`^${'('.repeat(500)}a${')'.repeat(500)}$`, /^this regular expression is too large/],
    [`^(${'x'.repeat(1000)}){1000}$`, /^this regular expression is too large/],
    ['^(?<=a)b$', /^not a regular expression/],
    ['^(a)\\1$', /^not a regular expression/],
    ['^a{1001}$', /^not a regular expression: invalid repeat count, at character 3 of /],
    [`^${'x'.repeat(1023)}$`, /^a pattern has at most 1024 characters/],
  ])('of row %# is refused when it is written', (pattern, problem) => {
    const selector: Selector = { terms: [{ key: 'k', values: [pattern] }] };
    expect(selectorProblem(selector)).toMatch(problem);
    expect(selectorProblem(selector)).not.toContain('\n');
    expect(() => compileSelector(selector)).toThrow();
  });

  it('counts with all others of its selector', () => {
    const values = Array.from({ length: 8 }, (_, index) => `^x{${900 - index}}$`);
    expect(selectorProblem({ terms: [{ key: 'k', values }] })).toMatch(
      /^the regular expressions of a selector have at most 5000 instructions together, these 7\d{3},/,
    );
    expect(selectorProblem({ terms: [{ key: 'k', values: values.slice(0, 5) }] })).toBeUndefined();
  });
});

describe('compileSelector', () => {
  const labels: Labels = new Map([
    ['env', 'prod'],
    ['team', 'db'],
    ['empty', ''],
  ]);

  it.each([
    ['env=prod', true],
    ['env=[dev, prod]', true],
    ['env=[dev, p*]', true],
    ['env=[dev, p*, ^x$]', true],
    ['env=[dev, x*, ^p.*$]', true],
    ['env=dev', false],
    ['env=prod, team=db', true],
    ['env=prod, team=web', false],
    ['other=*', false],
    ['empty=*', true],
    ['*=*', true],
    ['*=*, env=dev', false],
  ])('%s: %s', (text, expected) => {
    expect(compileSelector(parseSelector(text)).matches(labels)).toBe(expected);
  });

  it('finds nothing in labels that objects inherit', () => {
    expect(compileSelector(parseSelector('constructor=*')).matches(labels)).toBe(false);
    expect(compileSelector(parseSelector('__proto__=x')).matches(new Map([['__proto__', 'x']]))).toBe(true);
  });

  it.each<[string, Truth, string | undefined]>([
    ['env=prod', 'true', undefined],
    ['env=dev', 'false', 'env'],
    ['gone=x', 'unknown', 'gone'],
    ['gone=*', 'unknown', 'gone'],
    ['gone=x, env=prod', 'unknown', 'gone'],
    ['gone=x, env=dev', 'false', 'env'],
    ['env=dev, gone=x', 'false', 'env'],
    ['gone=x, lost=y', 'unknown', 'gone'],
    ['team=web, env=dev', 'false', 'team'],
    ['*=*', 'true', undefined],
    ['*=*, gone=x', 'unknown', 'gone'],
  ])('%s is %s by the term %s', (text, truth, key) => {
    const verdict = compileSelector(parseSelector(text)).test((each) => labels.get(each));
    expect(verdict.truth).toBe(truth);
    expect(verdict.term?.key).toBe(key);
  });

  it('names the labels it depends on', () => {
    expect(compileSelector(parseSelector('a=1, *=*, b=2')).keys).toEqual(['a', 'b']);
    expect(compileSelector(EVERY_NODE).keys).toEqual([]);
  });

  it('gives equal selectors the same object', () => {
    const one = compileSelector(parseSelector('a=[1, 2], b=^x$'));
    expect(compileSelector(parseSelector('a=[1,2],b=^x$'))).toBe(one);
    expect(compileSelector(parseSelector('a=[2, 1], b=^x$'))).not.toBe(one);
  });
});

describe('selectorProblem', () => {
  const many = (count: number): Selector => ({
    terms: Array.from({ length: count }, (_, index) => ({ key: `k${index}`, values: ['v'] })),
  });

  it.each<[string, Selector]>([
    ['every node', EVERY_NODE],
    ['as many terms as there may be', many(MAX_SELECTOR_TERMS)],
    ['as many values', { terms: [{ key: 'k', values: Array.from({ length: MAX_TERM_VALUES }, String) }] }],
  ])('lets %s pass', (_, selector) => {
    expect(selectorProblem(selector)).toBeUndefined();
  });

  it.each<[Selector, string]>([
    [{ terms: [] }, 'a selector has at least one term, at character 1 of ""'],
    [many(MAX_SELECTOR_TERMS + 1), 'a selector has at most 32 terms, at character 1 of "k32"'],
    [{ terms: [{ key: '', values: ['v'] }] }, 'a key is not empty, at character 1 of ""'],
    [{ terms: [{ key: 'k', values: [] }] }, 'a term has at least one value, at character 2 of "k"'],
    [
      { terms: [{ key: 'k', values: Array.from({ length: 257 }, String) }] },
      'a term has at most 256 values, at character 2 of "k"',
    ],
    [
      { terms: [{ key: '*', values: ['x'] }] },
      'the key * has only the value *, for every node, at character 1 of "*"',
    ],
    [
      { terms: [{ key: '\ud800', values: ['x'] }] },
      'this is not well-formed Unicode, at character 1 of "\\ud800"',
    ],
    [
      { terms: [{ key: 'k', values: ['\ud800'] }] },
      'this is not well-formed Unicode, at character 1 of "\\ud800"',
    ],
    [
      { terms: [{ key: 'k', values: ['a\\nb'] }] },
      'a backslash stands only before * or \\, or before ^ as the first character, at character 2 of "a\\\\nb"',
    ],
  ])('refuses %j', (selector, problem) => {
    expect(selectorProblem(selector)).toBe(problem);
  });
});
