import { describe, expect, it } from '@jest/globals';
import stringWidth from 'string-width';
import { NOW } from '../testing/capture.ts';
import { NASTY_LABELS, sampleNode } from '../testing/samples.ts';
import { nodeView } from '../views/node.ts';
import { frameLines } from './frame.ts';
import { NodeTracker } from './tracker.ts';

function frame(tracker: NodeTracker, columns: number, rows: number): string[] {
  return frameLines(tracker, { size: { columns, rows }, colour: false, addressText: 'a:1', now: NOW });
}

function trackerOf(count: number): NodeTracker {
  const tracker = new NodeTracker();
  tracker.apply({ kind: 'list' });
  for (let index = count; index >= 1; index -= 1) {
    tracker.apply({ kind: 'node', node: nodeView(sampleNode(index, NASTY_LABELS)) });
  }
  tracker.apply({ kind: 'synced' });
  return tracker;
}

describe('frameLines', () => {
  it('sums up, then lists by server id, then says what is left out', () => {
    expect(frame(trackerOf(10), 50, 6)).toEqual([
      '10 nodes at a:1, 10 connected, SYNCED 10',
      '',
      'SERVER ID     SYNC    CONNECTED',
      'server-00001  SYNCED  yes',
      'server-00002  SYNCED  yes',
      "… and 8 more; 'tagctl nodes ls' lists all",
    ]);
  });

  it('says that the connection is lost, and keeps the nodes', () => {
    const tracker = trackerOf(1);
    tracker.apply({ kind: 'lost', reason: 'it closed\u001b[2J' });
    const lines = frame(tracker, 80, 24);
    expect(lines[1]).toBe('connection lost: it closed\\u001b[2J; trying again …');
    expect(lines).toHaveLength(4);
  });

  it.each([
    [1, 1],
    [20, 3],
    [80, 24],
    [300, 100],
  ])('fits %s columns and %s rows', (columns, rows) => {
    const lines = frame(trackerOf(50), columns, rows);
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1));
  });
});
