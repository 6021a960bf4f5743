import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanText } from './clean-text.ts';

describe('cleanText', () => {
  it.each([
    ['plain text', 'agent/web-1', 'agent/web-1'],
    ['text of any language', 'grün 語 🦊', 'grün 語 🦊'],
    ['a colour and a line', '\u001b[31mred\nline', '\ufffd[31mred\ufffdline'],
    ['NUL, DEL and C1', 'a\u0000b\u007fc\u0085d', 'a\ufffdb\ufffdc\ufffdd'],
    ['separators of lines', 'a\u2028b\u2029c', 'a\ufffdb\ufffdc'],
    ['text that turns around', 'a\u202eb\u2066c', 'a\ufffdb\ufffdc'],
    ['lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
  ])('%s', (_, text, clean) => {
    expect(cleanText(text, 100)).toBe(clean);
  });

  it('cuts what is long, and no character in half', () => {
    expect(cleanText('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(cleanText('x'.repeat(10), 10)).toBe('x'.repeat(10));
    expect(cleanText(`12345678🦊🦊`, 10)).toBe('12345678\ufffd…');
  });

  it('is bounded, well-formed and stable for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 50 }),
        fc.integer({ min: 2, max: 30 }),
        (text, longest) => {
          const clean = cleanText(text, longest);
          expect(clean.length).toBeLessThanOrEqual(longest);
          expect(clean.isWellFormed()).toBe(true);
          expect(clean).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
          expect(cleanText(clean, longest)).toBe(clean);
        },
      ),
    );
  });
});
