import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diffLines } from './diff.ts';

describe('diffLines', () => {
  it.each([
    ['', '', []],
    ['a\n', 'a\n', ['  a']],
    ['a\nb\nc\n', 'a\nx\nc\n', ['  a', '- b', '+ x', '  c']],
    ['a\n', 'a\nb\n', ['  a', '+ b']],
    ['a\nb', 'b', ['- a', '  b']],
  ])('of %j and %j', (before, after, lines) => {
    expect(diffLines(before, after)).toEqual(lines);
  });

  it('holds both texts, each in its order', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ' '), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const lines = diffLines(a.map((line) => `${line}\n`).join(''), b.map((line) => `${line}\n`).join(''));
        const of = (mark: string) =>
          lines.filter((line) => [mark, ' '].includes(line[0] ?? '')).map((line) => line.slice(2));
        expect(of('-')).toEqual(a);
        expect(of('+')).toEqual(b);
      }),
    );
  });

  it('of texts too long to compare shows both', () => {
    const text = (line: string) => `${line}\n`.repeat(2_001);
    const lines = diffLines(text('a'), text('b'));
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([4_002, '- a', '+ b']);
  });
});
