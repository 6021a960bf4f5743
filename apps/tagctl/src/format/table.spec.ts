import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { SyncState } from '@tagplane/protocol';
import { NOW } from '../testing/capture.ts';
import { NASTY_LABELS, sampleNode } from '../testing/samples.ts';
import { nodeTable } from '../views/node-table.ts';
import { nodeView } from '../views/node.ts';
import { visible } from './escape.ts';
import { fitColumns, shorten, tableLines } from './table.ts';

const first = sampleNode(1, [
  ['aws/Name', '日本語サーバー'],
  ['aws/team', 'pay 🚀 ments'],
  ['dynamic/tier', 'web'],
]);
const second = { ...sampleNode(2), connected: false, awsInstance: undefined, lastSeen: undefined };
if (second.sync) second.sync.state = SyncState.STALE;
const rows = [first, second].map((node) => nodeTable.row(nodeView(node), NOW));

const table = (width: number | undefined, colour = false): string[] =>
  tableLines(nodeTable.columns, rows, { width, colour });

describe('the table of nodes', () => {
  it('at 40 columns', () => {
    expect(table(40)).toEqual([
      'SERVER ID     SYNC    CONNECTED',
      'server-00001  SYNCED  yes',
      'server-00002  STALE   no',
    ]);
  });

  it('at 80 columns', () => {
    expect(table(80)).toEqual([
      'SERVER ID     SYNC    CONNECTED  HOSTNAME    LABELS',
      'server-00001  SYNCED  yes        ip-10-0-0…  aws/Name=日本語サーバー, aws/team=…',
      'server-00002  STALE   no         ip-10-0-0…',
    ]);
  });

  it('at 200 columns', () => {
    expect(table(200)).toEqual([
      'SERVER ID     SYNC    CONNECTED  HOSTNAME                    INSTANCE             REGION        ACCOUNT       AGENT  AUTH    LAST SEEN  LABELS',
      'server-00001  SYNCED  yes        ip-10-0-0-1.eu-central-1.…  i-00000000000000001  eu-central-1  123456789012  0.1.0  auth-1  12s ago    aws/Name=日本語サーバー, aws/team=pay 🚀 ments, dynamic/tier=web',
      'server-00002  STALE   no         ip-10-0-0-2.eu-central-1.…  -                    -             -             0.1.0  auth-1  -',
    ]);
  });

  it('where there is no terminal, with everything and nothing shortened', () => {
    const lines = table(undefined);
    expect(lines[0]).toMatch(/ACCOUNT.*AGENT.*LABELS$/);
    expect(lines.join('\n')).not.toContain('…');
    expect(lines[1]).toMatch(/aws\/Name=日本語サーバー, aws\/team=pay 🚀 ments, dynamic\/tier=web$/);
  });

  it('with colours around the texts only', () => {
    const coloured = table(40, true).join('\n');
    expect(coloured).toContain('\u001b[32mSYNCED\u001b[0m  ');
    expect(coloured).toContain('\u001b[31mno\u001b[0m');
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(table(40).join('\n'));
  });

  it.each([1, 2, 5, 13, 40, 79, 80, 81, 120, 200, 400])('is never wider than %s columns', (width) => {
    const nasty = nodeTable.row(nodeView(sampleNode(3, NASTY_LABELS)), NOW);
    const lines = tableLines(nodeTable.columns, [...rows, nasty], { width, colour: false });
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    expect(lines).toHaveLength(4);
  });
});

describe('fitColumns', () => {
  const columns = [
    { title: 'A', priority: 1, shrinkTo: 4 },
    { title: 'B', priority: 0 },
    { title: 'C', priority: 2 },
  ];

  it.each([
    [undefined, [10, 5, 3]],
    [22, [10, 5, 3]],
    [21, [9, 5, 3]],
    [16, [4, 5, 3]],
    [15, [8, 5, undefined]],
    [11, [4, 5, undefined]],
    [10, [undefined, 5, undefined]],
    [3, [undefined, 3, undefined]],
  ])('in %s cells', (width, expected) => {
    expect(fitColumns(columns, [10, 5, 3], width)).toEqual(expected);
  });
});

describe('shorten', () => {
  it('never makes a text wider than asked, and leaves one that fits alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 30 }), (raw, width) => {
        const text = visible(raw);
        const short = shorten(text, width);
        expect(stringWidth(short)).toBeLessThanOrEqual(width);
        if (stringWidth(text) <= width) expect(short).toBe(text);
      }),
    );
  });

  it.each([
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%j in %i cells is %j', (text, width, expected) => {
    expect(shorten(text, width)).toBe(expected);
  });
});
