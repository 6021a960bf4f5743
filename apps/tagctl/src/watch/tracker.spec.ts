import { describe, expect, it } from '@jest/globals';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Node } from '@tagplane/protocol';
import { NOW } from '../testing/capture.ts';
import { sampleNode } from '../testing/samples.ts';
import { nodeView } from '../views/node.ts';
import type { FeedEvent } from './feed.ts';
import { NodeTracker } from './tracker.ts';

const seen = (node: Node): FeedEvent => ({ kind: 'node', node: nodeView(node) });
const LIST: FeedEvent = { kind: 'list' };
const SYNCED: FeedEvent = { kind: 'synced' };

function tracked(...events: FeedEvent[]): NodeTracker {
  const tracker = new NodeTracker();
  for (const event of events) tracker.apply(event);
  return tracker;
}

describe('NodeTracker', () => {
  it('counts nodes, connections and states', () => {
    const away = { ...sampleNode(2), connected: false };
    const tracker = tracked(LIST, seen(sampleNode(1)), seen(sampleNode(2)), seen(away), SYNCED);
    expect([tracker.nodes.size, tracker.connected]).toEqual([2, 1]);
    expect([...tracker.states]).toEqual([['SYNCED', 2]]);
    tracker.apply({ kind: 'removed', serverId: 'server-00001' });
    expect([tracker.nodes.size, tracker.connected]).toEqual([1, 0]);
  });

  it('takes a heartbeat that only moves last_seen for no change, but keeps it', () => {
    const tracker = tracked(LIST, seen(sampleNode(1)), SYNCED);
    const later = { ...sampleNode(1), lastSeen: timestampFromMs(NOW) };
    expect(tracker.apply(seen(later))).toEqual([]);
    expect(tracker.nodes.get('server-00001')?.last_seen).toBe('2026-11-22T12:00:00.000Z');
    const labelled = sampleNode(1, [['a', 'b']]);
    expect(tracker.apply(seen(labelled))).toEqual([{ event: 'node', node: nodeView(labelled) }]);
  });

  it('keeps the nodes across a loss, and drops only those that the complete new list lacks', () => {
    const tracker = tracked(LIST, seen(sampleNode(1)), seen(sampleNode(2)), SYNCED);
    expect(tracker.apply({ kind: 'lost', reason: 'r' })).toEqual([{ event: 'lost', reason: 'r' }]);
    expect(tracker.phase).toEqual({ kind: 'lost', reason: 'r' });
    tracker.apply(LIST);
    expect(tracker.apply(seen(sampleNode(2)))).toEqual([]);
    expect(tracker.nodes.size).toBe(2);
    tracker.apply(seen(sampleNode(3)));
    expect(tracker.apply(SYNCED)).toEqual([
      { event: 'removed', server_id: 'server-00001' },
      { event: 'synced', nodes: 2 },
    ]);
    expect(tracker.phase).toEqual({ kind: 'live' });
  });

  it('a list that breaks off removes nothing', () => {
    const tracker = tracked(LIST, seen(sampleNode(1)), SYNCED, LIST, { kind: 'lost', reason: 'r' });
    expect(tracker.nodes.size).toBe(1);
  });

  it('a node that was listed and then removed before the mark is gone, once', () => {
    const tracker = tracked(LIST, seen(sampleNode(1)));
    expect(tracker.apply({ kind: 'removed', serverId: 'server-00001' })).toHaveLength(1);
    expect(tracker.apply({ kind: 'removed', serverId: 'server-00001' })).toEqual([]);
    expect(tracker.apply(SYNCED)).toEqual([{ event: 'synced', nodes: 0 }]);
  });
});
