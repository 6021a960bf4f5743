import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeXml, isXmlText, xml } from './xml.ts';

describe('escapeXml', () => {
  it.each([
    ['plain', 'plain'],
    ['a & b < c > "d"', 'a &amp; b &lt; c &gt; &quot;d&quot;'],
    ['\t\n\r', '\t\n&#xD;'],
    ['\u0000\u0008\u000b\u001f\ufffe\uffff', '\ufffd'.repeat(6)],
    ['\ud83d alone, \ude00 alone, 😀', '\ufffd alone, \ufffd alone, 😀'],
    ['\u0085\u2028\u{10ffff}', '\u0085\u2028\u{10ffff}'],
  ])('%j', (text, escaped) => {
    expect(escapeXml(text)).toBe(escaped);
  });

  it('can be undone for whatever XML can carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(isXmlText(text));
        const escaped = escapeXml(text);
        expect(escaped).not.toMatch(/[<>\r]|&(?!(amp|lt|gt|quot|#xD);)/);
        expect(unescape(escaped)).toBe(text);
      }),
    );
  });
});

function unescape(text: string): string {
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#xD': '\r' };
  return text.replace(/&([^;]+);/g, (_, name: string) => characters[name] ?? '');
}

describe('xml', () => {
  it('drops the indentation of its template, never of a value', () => {
    const value = 'a\n    b';
    const make = (text: string): string => xml`
      <x>
          <y>${text}</y> <z>${1}</z>
      </x>`;
    expect(make(value)).toBe('\n<x>\n<y>a\n    b</y> <z>1</z>\n</x>');
    expect(make('again')).toBe('\n<x>\n<y>again</y> <z>1</z>\n</x>');
  });
});
