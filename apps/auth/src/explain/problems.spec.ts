import { describe, expect, it } from '@jest/globals';
import { discoveredName } from '@tagplane/serverinfo';
import { NOT_ASSIGNED, NO_SPANS, wantedLabels } from '@tagplane/session';
import type { Wanted } from '@tagplane/session';
import type { Hold } from '../guard/hold.ts';
import { decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import { instance } from '../testing/fleet.ts';
import { nodePut } from '../testing/nodes.ts';
import type { NodeParts } from '../testing/nodes.ts';
import type { ExplainFacts } from './facts.ts';
import { problemsOf } from './problems.ts';

const NOW = Date.now();
const MINUTE = 60_000;
const NAME = discoveredName(instance(1));
const SCOPE = 'aws/123456789012/eu-central-1';

const wants = (labels: Record<string, string>): Wanted =>
  wantedLabels({
    discovered: {
      state: 'live',
      source: { labels: new Map(Object.entries(labels)), observedAt: NOW, expiresAt: undefined },
    },
    assigned: NOT_ASSIGNED,
    held: { state: 'none' },
  });
const WANTED = wants({ 'aws/a': '1' });
const REVISION = WANTED.state === 'known' ? WANTED.version.revision : '';
const acked = (expiresAt?: number): NodeRecord['acked'] => ({
  revision: REVISION,
  spans: { ...NO_SPANS, 'aws/': { observedAt: NOW, expiresAt } },
  sets: { 'aws/': new Map([['aws/a', '1']]), 'dynamic/': undefined },
});

function record(parts: NodeParts = {}, over: Partial<NodeRecord> = {}): NodeRecord {
  const { key, value } = nodePut('web-1', instance(1), parts);
  return { ...decodeNodeRecord({ key, value }), acked: acked(), ...over };
}

function facts(over: Partial<ExplainFacts> = {}): ExplainFacts {
  return {
    now: NOW,
    serverId: 'web-1',
    instance: instance(1),
    record: record(),
    recordRevision: 1,
    unreadable: false,
    found: undefined,
    discovered: {
      name: NAME,
      match: { kind: 'aws-instance', instance: instance(1) },
      labels: new Map([['aws/a', '1']]),
      observedAt: NOW,
      expiresAt: NOW + MINUTE,
      revision: 1,
      origin: 'discovery/main',
    },
    wanted: WANTED,
    assigned: [],
    siblings: true,
    holds: [],
    locks: [],
    ...over,
  };
}
const hold = (state: Hold['state'], samples: string[]): Hold => ({
  id: 'h1',
  scope: SCOPE,
  fingerprint: 'f',
  nodesChanged: 30,
  nodesTotal: 60,
  nodesChangedBefore: 0,
  samples,
  state,
  requestedBy: 'discovery/main',
  heldAt: NOW,
  decidedBy: 'operator/ada',
  decidedAt: NOW,
  description: '',
});
const gone = (reason: 'deleted' | 'expired') => ({ state: 'gone', key: 'k', revision: 2, reason }) as const;
const unmatched = record(
  { sync: { state: 'unmatched', reason: 'its certificate proves none' } },
  { instance: undefined, acked: { ...acked(), revision: '' } },
);
const NOTHING = wantedLabels({
  discovered: { state: 'absent' },
  assigned: NOT_ASSIGNED,
  held: { state: 'none' },
});

describe('the problems of a node', () => {
  it('are none when all is as it should be', () => {
    expect(problemsOf(facts())).toEqual([]);
  });

  it.each<[string, Partial<ExplainFacts>, RegExp[]]>([
    ['no agent ever', { record: undefined }, [/no agent speaks for this server id: install/]],
    [
      'no agent of an instance',
      { record: undefined, serverId: undefined },
      [/no agent speaks for this instance/],
    ],
    ['a record of a later version', { record: undefined, unreadable: true }, [/later version/]],
    [
      'an agent that is away',
      { record: record({ connected: false, lastSeen: NOW - 10 * MINUTE }) },
      [/not connected \(last heard 10 min ago\)/],
    ],
    [
      'an unproven instance',
      { record: unmatched, instance: undefined, discovered: undefined, wanted: NOTHING },
      [/its certificate proves none; join it with/],
    ],
    [
      'a terminated instance',
      { discovered: undefined, found: gone('deleted') },
      [/was deleted: .*terminated/],
    ],
    [
      'one that ran out',
      { discovered: undefined, found: gone('expired') },
      [/ran out: .*is discovery running/],
    ],
    ['a filtered one', { discovered: undefined }, [/not discovered, though other instances .*aws\.tags/]],
    [
      'a region not scanned',
      { discovered: undefined, siblings: false },
      [/neither is any other .*aws\.regions/],
    ],
    ['a hold of it', { holds: [hold('held', [NAME])] }, [/^a change of its labels waits .*release h1/]],
    ['a hold that may be of it', { holds: [hold('held', [])] }, [/which may be of this node/]],
    ['a dropped change', { holds: [hold('dropped', [NAME])] }, [/dropped by operator\/ada/]],
    ['a lock', { locks: ['locked (agent:web-1)'] }, [/^locked \(agent:web-1\): .*tagctl locks ls/]],
    [
      'an update on its way',
      {
        wanted: wants({ 'aws/a': '2' }),
        record: record({ sync: { state: 'pending', reason: 'an update is on its way' } }),
      },
      [/not acknowledged .*: an update is on its way/],
    ],
    [
      'a refusal',
      {
        wanted: wants({ 'aws/a': '2' }),
        record: record({ sync: { state: 'pending', reason: 'the agent refused an update: disk full' } }),
      },
      [/refused an update: disk full/],
    ],
    [
      'an update for an agent that is away',
      { wanted: wants({ 'aws/a': '2' }), record: record({ connected: false }) },
      [/not connected/, /wait for its agent to connect/],
    ],
    [
      'labels that ran out',
      { record: record({}, { acked: acked(NOW - 90_000) }) },
      [/aws\/ labels ran out 90 s ago: they count as unknown/],
    ],
    ['nobody who can say', { wanted: { state: 'keep' } }, [/nobody can say/]],
  ])('name %s', (_, over, lines) => {
    const problems = problemsOf(facts(over));
    expect(problems).toEqual(lines.map((line) => expect.stringMatching(line)));
  });

  it('count the tags that no label can carry', () => {
    const { discovered } = facts();
    const rejected = [{ key: 'k', reason: 'too long' }];
    expect(problemsOf(facts({ discovered: discovered && { ...discovered, rejected } }))).toEqual([
      expect.stringMatching(/^of its tags, 1 cannot be carried/),
    ]);
  });
});
