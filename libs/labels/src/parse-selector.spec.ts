import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileSelector } from './compile-selector.ts';
import { formatSelector } from './format-selector.ts';
import { MAX_SELECTOR_TEXT, parseSelector } from './parse-selector.ts';
import { patternOfText } from './pattern.ts';
import { SelectorError } from './selector-error.ts';
import { selectorFromMap, selectorToMap } from './selector-map.ts';
import type { Selector } from './selector.ts';

type Terms = readonly [key: string, ...values: string[]][];

function selector(...terms: Terms): Selector {
  return { terms: terms.map(([key, ...values]) => ({ key, values })) };
}

function errorOf(run: () => unknown): SelectorError {
  try {
    run();
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseSelector', () => {
  it.each<[string, ...Terms]>([
    ['aws/env=prod', ['aws/env', 'prod']],
    ['  aws/env =\tprod ,\n team = [ db , web-* ] ', ['aws/env', 'prod'], ['team', 'db', 'web-*']],
    ['*=*', ['*', '*']],
    ['a=[x]', ['a', 'x']],
    ['aws/Patch Group=second tuesday', ['aws/Patch Group', 'second tuesday']],
    ['"aws/odd, key"="a b"', ['aws/odd, key', 'a b']],
    ['a=""', ['a', '']],
    ['a=" b "', ['a', ' b ']],
    ['"\\u0061\\n"="\\"\\\\\\\\"', ['a\n', '"\\\\']],
    ['a=^web-[0-9]+$', ['a', '^web-[0-9]+$']],
    ['a=^[a=",]{1,2}$ , b=c', ['a', '^[a=",]{1,2}$'], ['b', 'c']],
    ['a=[^[$x]+$, ^(b|c)$ ]', ['a', '^[$x]+$', '^(b|c)$']],
    ['a="^x$,y$"', ['a', '^x$,y$']],
    ['a=\\^b$', ['a', '\\^b$']],
    ['a=x^y, b=y$', ['a', 'x^y'], ['b', 'y$']],
    ['__proto__=x, 10=y', ['__proto__', 'x'], ['10', 'y']],
    ['a=🚀*', ['a', '🚀*']],
  ])('reads %j', (text, ...terms) => {
    expect(parseSelector(text)).toEqual(selector(...terms));
  });

  it.each([
    ['', 0, 'a key is missing'],
    ['  ', 2, 'a key is missing'],
    ['a', 1, 'after a key comes = and its value'],
    ['a=', 2, 'a value is missing'],
    ['=b', 0, 'a key is missing'],
    ['a=b,', 4, 'a key is missing'],
    ['a=b,,c=d', 4, 'a key is missing'],
    ['a=b c=d', 5, 'a value with = in it needs quotes'],
    ['a,b=c', 1, 'a key with , in it needs quotes'],
    ['a[0]=c', 1, 'a key with [ in it needs quotes'],
    ['a=b]', 3, 'a value with ] in it needs quotes'],
    ['a=b"c"', 3, 'a value with " in it needs quotes'],
    ['a=[]', 3, 'a value is missing'],
    ['a=[b', 4, 'a list of values ends with ]'],
    ['a=[b,]', 5, 'a value is missing'],
    ['a=["b" "c"]', 7, 'a list of values ends with ]'],
    ['a="b" c', 6, 'after a term comes , or the end'],
    ['a="b', 2, 'this quote is not closed'],
    ['a="b\n"', 2, 'JSON string'],
    ['a="\\q"', 2, 'JSON string'],
    ['a=^b', 2, 'a regular expression ends with $'],
    ['a=[b, ^c]', 6, 'a regular expression ends with $'],
    ['a=^(b$', 2, 'missing closing )'],
    ['a=b, c=^x[$', 8 + 1, 'missing closing ]'],
    ['a=^(?=b)c$', 3, 'invalid or unsupported Perl syntax'],
    ['a=^(b)\\1$', 6, 'invalid escape sequence'],
    ['a=^b**$', 4, 'invalid nested repetition operator'],
    ['a=x\\y', 3, 'a backslash stands only before'],
    ['a=x\\', 3, 'a backslash stands only before'],
    ['a=x\\^', 3, 'a backslash stands only before'],
    ['a="\\u0062\\\\^"', 9, 'a backslash stands only before'],
    ['*=b', 2, 'the key * has only the value *'],
    ['*=[*, *]', 0, 'the key * has only the value *'],
    ['a=b, a=c', 5, 'this key has a term already'],
    ['🚀=b, 🚀=c', 6, 'this key has a term already'],
    ['a="\\ud800"', 3, 'not well-formed'],
    [`${'k'.repeat(257)}=a`, 0, 'a key has at most 256 characters'],
    [`a=${'v'.repeat(1025)}`, 2 + 1024, 'a pattern has at most 1024 characters'],
    [' '.repeat(MAX_SELECTOR_TEXT + 1), MAX_SELECTOR_TEXT, 'a selector has at most 16384 characters'],
  ])('refuses %j at %i', (text, position, problem) => {
    const error = errorOf(() => parseSelector(text));
    expect(error.problem).toContain(problem);
    expect(error.position).toBe(position);
    expect(error.text).toBe(text);
  });

  it('of any text makes a selector that compiles, or says at which of its characters it is wrong', () => {
    const pieces = fc.constantFrom(
      'a',
      'aws/b',
      '=',
      ',',
      '[',
      ']',
      '"',
      '*',
      '^',
      '$',
      '\\',
      ' ',
      '(',
      '🚀',
      'ä\n',
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 16 }).map((parts) => parts.join('')),
      fc
        .array(pieces, { maxLength: 8 })
        .map((parts) => `a=[^(${parts.join('')})$, "${parts.join('')}"], b=c`),
      fc.string({ unit: 'binary' }),
    );
    let read = 0;
    fc.assert(
      fc.property(text, (each) => {
        let parsed: Selector;
        try {
          parsed = parseSelector(each);
        } catch (error) {
          if (!(error instanceof SelectorError)) throw error;
          expect(error.text).toBe(each);
          expect(error.position).toBeGreaterThanOrEqual(0);
          expect(error.position).toBeLessThanOrEqual(each.length);
          expect(error.pointed().split('\n')).toHaveLength(2);
          return;
        }
        read += 1;
        expect(compileSelector(parsed).selector).toEqual(parsed);
      }),
      { numRuns: 10_000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});

describe('formatSelector', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
    fc
      .array(
        fc.constantFrom(
          'a',
          ',',
          '=',
          '[',
          ']',
          '"',
          '\\',
          ' ',
          '*',
          '^',
          '$',
          '\n',
          '\u00a0',
          '\u2028',
          '🚀',
        ),
        {
          minLength: 1,
          maxLength: 5,
        },
      )
      .map((parts) => parts.join('')),
    fc.constantFrom('__proto__', 'constructor', '0', '10', '\u0085', '\0'),
  );
  const pattern = fc.oneof(
    text.map(patternOfText),
    fc.array(fc.oneof(text, fc.constant('')), { minLength: 2, maxLength: 3 }).map((parts) => parts.map(patternOfText).join('*')),
    fc.constantFrom('', '*', '^a$', '^$', '^[,="$]*$', '^a$b$', '^x{1,2}$', '^a\\$', '^\\]$', '^ $', '^(a|b)[^]]$', '^\n$'),
  ).filter((each) => !each.startsWith('^') || each.endsWith('$')); // prettier-ignore
  const term = fc.record({ key: text, values: fc.array(pattern, { minLength: 1, maxLength: 3 }) });
  const selectors = fc
    .uniqueArray(term, { minLength: 1, maxLength: 4, selector: ({ key }) => key })
    .map((terms): Selector => ({
      terms: terms.map((each) => (each.key === '*' ? { key: '*', values: ['*'] } : each)),
    }))
    .filter(compiles);

  function compiles(each: Selector): boolean {
    try {
      compileSelector(each);
      return true;
    } catch {
      return false;
    }
  }

  it('writes what parseSelector reads back', () => {
    fc.assert(
      fc.property(selectors, (each) => {
        const formatted = formatSelector(each);
        expect(parseSelector(formatted)).toEqual(each);
        expect(formatSelector(parseSelector(formatted))).toBe(formatted);
      }),
      { numRuns: 10_000 },
    );
  });

  it('keeps its meaning as a map, whose keys may change their order', () => {
    fc.assert(
      fc.property(selectors, (each) => {
        const again = selectorFromMap(selectorToMap(each));
        const byKey = ({ terms }: Selector): unknown =>
          new Map(terms.map(({ key, values }) => [key, values]));
        expect(byKey(again)).toEqual(byKey(each));
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['a = [ "b" ]', 'a=b'],
    ['"a"=["b c","d,e"]', 'a=[b c, "d,e"]'],
    ['a="^b$"', 'a=^b$'],
    ['a="^$b$"', 'a="^$b$"'],
    ['a=""', 'a=""'],
  ])('writes %j in its one form, %j', (text, formatted) => {
    expect(formatSelector(parseSelector(text))).toBe(formatted);
  });
});

describe('selectorFromMap', () => {
  it.each([
    [{ a: 'b', '*': '*' }, 'a=b, *=*'],
    [{ a: ['b', 'c'] }, 'a=[b, c]'],
  ])('reads %j', (map, text) => {
    expect(formatSelector(selectorFromMap(map))).toBe(text);
  });

  it.each([
    [undefined, 'a selector is a map of keys to values'],
    [['a'], 'a selector is a map of keys to values'],
    [{}, 'a selector has at least one term'],
    [{ a: [] }, 'a term has at least one value'],
    [{ a: true }, "a value is a text: write 'true', in quotes"],
    [{ a: ['b', 7] }, "a value is a text: write '7', in quotes"],
    [{ a: { b: 'c' } }, 'a value is a text'],
    [{ a: '^b' }, 'a regular expression ends with $'],
  ])('refuses %j', (map, problem) => {
    expect(errorOf(() => selectorFromMap(map)).problem).toContain(problem);
  });
});

describe('SelectorError', () => {
  it('points at the character, a column for each character', () => {
    const error = errorOf(() => parseSelector('🚀=b,\tteam=x\\y'));
    expect(error.message).toBe(
      'a backslash stands only before * or \\, or before ^ as the first character, at character 12',
    );
    expect(error.pointed()).toBe('🚀=b, team=x\\y\n           ^');
  });

  it('cuts a long text around the character', () => {
    const [line = '', caret = ''] = errorOf(() => parseSelector(`a=${'x'.repeat(200)}[${'y'.repeat(200)}`))
      .pointed()
      .split('\n');
    expect(line).toBe(`…${'x'.repeat(60)}[${'y'.repeat(59)}…`);
    expect(line.charAt(caret.indexOf('^'))).toBe('[');
  });
});
