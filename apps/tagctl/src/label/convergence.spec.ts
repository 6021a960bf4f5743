import { describe, expect, it } from '@jest/globals';
import { sampleNode } from '../testing/samples.ts';
import type { LabelChangeView } from '../views/label-change.ts';
import { nodeView } from '../views/node.ts';
import type { FeedEvent } from '../watch/feed.ts';
import { Convergence } from './convergence.ts';

const CHANGES: LabelChangeView[] = [1, 2, 3].map((index) => ({
  server_id: `server-0000${index}`,
  hostname: '',
  gained: new Map([['dynamic/new', '1']]),
  lost: new Map([['dynamic/old', '1']]),
  changed: new Map([['dynamic/both', '2']]),
}));
const DONE = [['dynamic/new', '1'], ['dynamic/both', '2']] as const; // prettier-ignore

function seen(index: number, labels: readonly (readonly [string, string])[], connected = true): FeedEvent {
  return { kind: 'node', node: nodeView({ ...sampleNode(index, labels), connected }) };
}

function after(...events: FeedEvent[]): Convergence {
  const convergence = new Convergence(CHANGES);
  for (const event of events) convergence.apply(event);
  return convergence;
}

describe('Convergence', () => {
  it.each([
    ['all of it', DONE, 1],
    ['a label not yet', DONE.slice(0, 1), 0],
    ['another value', [DONE[0], ['dynamic/both', '1']] as const, 0],
    ['what it should lose', [...DONE, ['dynamic/old', '1']] as const, 0],
  ])('takes a node with %s for what it is', (_what, labels, have) => {
    expect(after(seen(1, labels)).progress.have).toBe(have);
  });

  it('is done when all are listed and every connected one has it', () => {
    const listed = [seen(1, DONE), seen(2, []), seen(3, [], false)];
    const waiting = after(...listed, { kind: 'synced' });
    expect(waiting.done).toBe(false);
    expect(waiting.progress).toEqual({ affected: 3, have: 1, waiting: ['server-00002'], notConnected: 1 });
    waiting.apply(seen(2, DONE));
    expect(waiting.done).toBe(true);
    expect(after(seen(1, DONE), seen(2, DONE)).done).toBe(false);
  });

  it('does not wait for a node that is gone, and lists anew after a lost connection', () => {
    const convergence = after(seen(1, []), { kind: 'synced' });
    convergence.apply({ kind: 'removed', serverId: 'server-00001' });
    expect(convergence.done).toBe(true);
    convergence.apply({ kind: 'lost', reason: 'x' });
    expect(convergence.done).toBe(false);
    expect(convergence.progress).toEqual({ affected: 3, have: 0, waiting: [], notConnected: 3 });
  });
});
