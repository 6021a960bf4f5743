import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { SyncState, WatchMark, WatchNodesResponseSchema } from '@tagplane/protocol';
import { NodeBoard } from './progress.ts';

function nodeEvent(serverId: string, state: SyncState, labels: Record<string, string>) {
  return create(WatchNodesResponseSchema, {
    event: { case: 'node', value: { serverId, connected: true, labels, sync: { state } } },
  });
}

describe('NodeBoard', () => {
  it('counts a node as labelled only when it is SYNCED and holds labels from EC2', () => {
    const board = new NodeBoard();
    board.apply(nodeEvent('a', SyncState.PENDING, { 'aws/env': 'x' }));
    board.apply(nodeEvent('b', SyncState.SYNCED, { tier: 'demo' }));
    expect([board.connected, board.labelled]).toEqual([2, 0]);
    board.apply(nodeEvent('a', SyncState.SYNCED, { 'aws/env': 'x' }));
    expect(board.labelled).toBe(1);
    expect(board.holds('a', 'aws/env', 'x')).toBe(true);
    expect(board.holds('a', 'aws/env', 'y')).toBe(false);
  });

  it('forgets removed nodes, and all of them when the list begins again', () => {
    const board = new NodeBoard();
    board.apply(nodeEvent('a', SyncState.SYNCED, { 'aws/env': 'x' }));
    board.apply(nodeEvent('b', SyncState.SYNCED, { 'aws/env': 'x' }));
    board.apply(create(WatchNodesResponseSchema, { event: { case: 'removedServerId', value: 'a' } }));
    expect(board.labelled).toBe(1);
    board.apply(create(WatchNodesResponseSchema, { event: { case: 'mark', value: WatchMark.RESTARTED } }));
    expect(board.connected).toBe(0);
  });
});
