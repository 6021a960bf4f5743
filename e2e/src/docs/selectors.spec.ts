import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Labels } from '@tagplane/labels';
import {
  SelectorError,
  compileSelector,
  formatSelector,
  parseSelector,
  selectorFromMap,
} from '@tagplane/labels';
import { parse } from 'yaml';
import { fencedBlocks, readDocument, tableUnder } from './markdown.ts';

let text: string;

beforeAll(async () => {
  ({ text } = await readDocument('docs/selectors.md'));
});

/** What a cell has between backticks. */
function code(cell = ''): string {
  return cell.replace(/^`/, '').replace(/`$/, '');
}

function labels(cell: string): Labels {
  return new Map(Object.entries(JSON.parse(code(cell)) as Record<string, string>));
}

describe('the examples of docs/selectors.md', () => {
  it('pick what they say, in both forms', () => {
    const rows = tableUnder(text, '## As text');
    expect(rows.length).toBeGreaterThan(8);
    for (const [written, yaml, picked = '', passed = ''] of rows) {
      const selector = parseSelector(code(written));
      expect(selectorFromMap(parse(code(yaml)))).toEqual(selector);
      expect(parseSelector(formatSelector(selector))).toEqual(selector);
      const { matches } = compileSelector(selector);
      expect([written, matches(labels(picked))]).toEqual([written, true]);
      if (passed !== '') expect([written, matches(labels(passed))]).toEqual([written, false]);
    }
  });

  it('are refused at the character that the caret is under', () => {
    const [, section = ''] = text.split('\n## Mistakes\n');
    const blocks = fencedBlocks(section, 'text');
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) {
      const [written = ''] = block.split('\n');
      expect(`${refusal(written)}\n`).toBe(block);
    }
  });

  function refusal(written: string): string {
    try {
      parseSelector(written);
      return 'not refused';
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      return `${error.pointed()}\n${error.message}`;
    }
  }

  it('stop at the limits that it names', () => {
    const limits = new Map(
      tableUnder(text, '## Limits').map(([of = '', most = '']) => [of, parseInt(most.replace(',', ''), 10)]),
    );
    const limit = (of: string): number => limits.get(of) ?? NaN;
    const terms = (count: number): string =>
      Array.from({ length: count }, (_, index) => `k${index}=v`).join();
    const values = (count: number): string =>
      `k=[${Array.from({ length: count }, (_, index) => `v${index}`).join()}]`;
    const many = (count: number): string =>
      `k=[${Array.from({ length: count }, (_, index) => `^a{${900 + index}}$`).join()}]`;
    const cases: [string, (size: number) => string][] = [
      ['terms', terms],
      ['values of a term', values],
      ['characters of a key', (size) => `${'k'.repeat(size)}=v`],
      ['characters of a pattern', (size) => `k=${'v'.repeat(size)}`],
      // Four instructions beside those of the letters.
      ['a regular expression', (size) => `k=^a{${size - 4}}$`],
      ['regular expressions of one selector together', (size) => many(Math.floor(size / 910))],
      ['characters of the text form', (size) => 'k=v'.padEnd(size)],
    ];
    expect(cases.map(([of]) => of)).toEqual([...limits.keys()]);
    for (const [of, make] of cases) {
      expect([of, refusal(make(limit(of)))]).toEqual([of, 'not refused']);
      const beyond = of.includes('together') ? make(limit(of) + 910) : make(limit(of) + 1);
      expect([of, refusal(beyond)]).not.toEqual([of, 'not refused']);
    }
  });
});
