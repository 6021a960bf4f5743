import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { jsonText, yamlText } from './document.ts';
import { drivesTerminal, visible } from './escape.ts';
import { labelsText } from './labels-text.ts';

describe('visible', () => {
  it.each([
    ['plain ünïcode 日本 🚀', 'plain ünïcode 日本 🚀'],
    ['\u001b[31mred', '\\u001b[31mred'],
    ['\u009b2J', '\\u009b2J'],
    ['a\r\n\tb', 'a\\r\\n\\tb'],
    ['\\u001b', '\\\\u001b'],
    ['\u202eabc', '\\u202eabc'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\u{e0041}'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['👩\u200d👧', '👩\u200d👧'],
  ])('%j is shown as %j', (text, expected) => {
    expect(visible(text)).toBe(expected);
  });

  it('lets nothing through that drives a terminal, and makes no two texts one', () => {
    const anyText = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    });
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(drivesTerminal(visible(a))).toBe(false);
        expect(visible(a) === visible(b)).toBe(a === b);
      }),
    );
  });
});

describe('documents', () => {
  const text = fc.string({ unit: 'binary' });
  const values = fc.array(fc.tuple(text, text)).map((entries) => new Map(entries));

  it('come back as they were, from JSON', () => {
    fc.assert(
      fc.property(values, (labels) => {
        const written = jsonText({ labels });
        expect(drivesTerminal(written.replaceAll('\n', ''))).toBe(false);
        const read = JSON.parse(written) as { labels: Record<string, string> };
        expect(new Map(Object.entries(read.labels))).toEqual(labels);
      }),
    );
  });

  it('come back as they were, from YAML of either version', () => {
    fc.assert(
      fc.property(values, fc.constantFrom('1.1', '1.2'), (labels, version) => {
        const written = yamlText({ labels });
        expect(drivesTerminal(written.replaceAll('\n', ''))).toBe(false);
        const read = parseYaml(written, { mapAsMap: true, version, merge: false }) as Map<string, unknown>;
        expect(read.get('labels')).toEqual(labels);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['yes', 'on', 'null', '~', '1_000', '12:30:00', '0x1F', '1e3', '2001-12-14', '=', '<<', ''])(
    'quote %j, which a YAML 1.1 reader takes for something else',
    (odd) => {
      const read = parseYaml(yamlText(new Map([[odd, odd]])), { mapAsMap: true, version: '1.1' }) as unknown;
      expect(read).toEqual(new Map([[odd, odd]]));
    },
  );
});

describe('labelsText', () => {
  it('is in key order, and quotes what would be ambiguous', () => {
    const labels = new Map([
      ['b', 'x, y=z'],
      ['a', ''],
      ['k=1', ' v'],
      ['plain', 'a=b c'],
      ['q', 'say "hi"'],
    ]);
    expect(labelsText(labels)).toBe('a="", b="x, y=z", "k=1"=" v", plain=a=b c, q="say \\"hi\\""');
  });
});
