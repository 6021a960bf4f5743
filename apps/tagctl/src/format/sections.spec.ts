import { describe, expect, it } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { CapturedOutput } from '../testing/capture.ts';
import { sectionsPrinter } from './sections.ts';

const VIEWS = [
  { a: 'one\ntwo', labels: new Map([['dynamic/k', '  x\u2028\n']]) },
  { a: '', labels: new Map() },
  { a: '- b: c', labels: new Map([['k', 'v']]) },
];
const PLAIN = [
  { a: 'one\ntwo', labels: { 'dynamic/k': '  x\u2028\n' } },
  { a: '', labels: {} },
  { a: '- b: c', labels: { k: 'v' } },
];

describe('sectionsPrinter', () => {
  it.each([
    ['json' as const, JSON.parse, [VIEWS]],
    ['json' as const, JSON.parse, [VIEWS.slice(0, 1), [], VIEWS.slice(1)]],
    ['yaml' as const, parseYaml, [VIEWS]],
    ['yaml' as const, parseYaml, [VIEWS.slice(0, 1), [], VIEWS.slice(1)]],
  ])('writes one document in parts: %s', async (format, parse: (text: string) => unknown, parts) => {
    const stdout = new CapturedOutput();
    const printer = sectionsPrinter(format, 'changes', { stdout });
    for (const part of parts) await printer.add(part);
    await printer.end({ totals: { nodes: 3, nested: { deep: true } }, more: null });
    const totals = { nodes: 3, nested: { deep: true } };
    expect(parse(stdout.text)).toEqual({ changes: PLAIN, totals, more: null });
  });

  it.each([
    ['json' as const, JSON.parse],
    ['yaml' as const, parseYaml],
  ])('writes an empty list as one: %s', async (format, parse: (text: string) => unknown) => {
    const stdout = new CapturedOutput();
    const printer = sectionsPrinter(format, 'changes', { stdout });
    await printer.end({ totals: 0 });
    expect(parse(stdout.text)).toEqual({ changes: [], totals: 0 });
  });
});
