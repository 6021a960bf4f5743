import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareKeys, prefixEnd, rangeBounds } from './order.ts';

const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a', '\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{10000}', '\u{10ffff}'),
  ),
});

describe('compareKeys', () => {
  it('orders as the UTF-8 bytes do', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe('prefixEnd', () => {
  it.each([
    ['', undefined],
    ['a', 'b'],
    ['a/', 'a0'],
    ['\u{10ffff}', undefined],
    ['a\u{10ffff}\u{10ffff}', 'b'],
    ['\u{d7ff}', '\u{e000}'],
    ['\u{ffff}', '\u{10000}'],
  ])('of %j is %j', (prefix, end) => {
    expect(prefixEnd(prefix)).toBe(end);
  });

  it('bounds exactly the keys with the prefix', () => {
    fc.assert(
      fc.property(text, text, text, (prefix, rest, other) => {
        const end = prefixEnd(prefix);
        const within = (key: string): boolean =>
          compareKeys(key, prefix) >= 0 && (end === undefined || compareKeys(key, end) < 0);
        expect(within(prefix + rest)).toBe(true);
        expect(within(other)).toBe(other.startsWith(prefix));
      }),
    );
  });
});

describe('rangeBounds', () => {
  it('hold exactly the keys with the prefix that come after the given one', () => {
    fc.assert(
      fc.property(text, text, fc.option(text, { nil: undefined }), (prefix, rest, after) => {
        const { from, below } = rangeBounds(after === undefined ? { prefix } : { prefix, after });
        const within = (key: string): boolean =>
          compareKeys(key, from) >= 0 && (below === undefined || compareKeys(key, below) < 0);
        const wanted = (key: string): boolean =>
          key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0);
        for (const key of [prefix, prefix + rest, rest, after ?? '', `${after ?? ''}a`]) {
          expect(within(key)).toBe(wanted(key));
        }
      }),
    );
  });
});
