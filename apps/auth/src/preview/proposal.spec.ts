import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseServerId } from '@tagplane/identity';
import { parseSelector } from '@tagplane/labels';
import { AssignedSet, discoveredName } from '@tagplane/serverinfo';
import type { Match, ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import { wantedLabels } from '@tagplane/session';
import { instance, instanceKey } from '../testing/fleet.ts';
import { changeBetween, takesAway } from './node-change.ts';
import { propose } from './proposal.ts';

const NOW = 1_000;
const MATCHES: readonly Match[] = [
  { kind: 'server-id', serverId: parseServerId('web-1') ?? never() },
  { kind: 'server-id', serverId: parseServerId('web-2') ?? never() },
  { kind: 'aws-instance', instance: instance(1) },
  { kind: 'selector', selector: parseSelector('aws/team=db') },
  { kind: 'selector', selector: parseSelector('*=*') },
];

function never(): never {
  throw new Error('no server id');
}

const drafts: fc.Arbitrary<ServerInfoDraft> = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  match: fc.constantFrom(...MATCHES),
  labels: fc
    .dictionary(fc.constantFrom('dynamic/x', 'dynamic/y'), fc.constantFrom('1', '2'))
    .map((labels) => new Map(Object.entries(labels))),
  observedAt: fc.constant(undefined),
  ttlMs: fc.constantFrom(undefined, 5),
});
const unique = (size: number) => fc.uniqueArray(drafts, { maxLength: size, selector: ({ name }) => name });
const stored = ({ ttlMs, ...draft }: ServerInfoDraft): ServerInfo => ({
  ...draft,
  expiresAt: ttlMs === undefined ? undefined : NOW + ttlMs,
  revision: 0,
  origin: '',
});

const subject = { serverId: 'web-1', instanceKey: instanceKey(1) };
const AWS = { labels: new Map([['aws/team', 'db']]), observedAt: 0, expiresAt: undefined };

function wantedBy(set: Pick<AssignedSet, 'forNode'>) {
  return wantedLabels({
    discovered: { state: 'live', source: AWS },
    assigned: set.forNode(subject, NOW),
    held: { state: 'none' },
  });
}

describe('a proposal', () => {
  it('is what the set would be, and says which nodes it is about', () => {
    const removed = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'e'));
    fc.assert(
      fc.property(unique(4), unique(3), removed, (before, put, names) => {
        const known = AssignedSet.of(before.map(stored));
        const gone = names.filter((name) => put.every((draft) => draft.name !== name));
        const proposal = propose({ drafts: put, removed: gone }, known, NOW);
        const whole = known.with({ put: put.map(stored), removed: gone });
        expect(wantedBy(proposal.after)).toEqual(wantedBy(whole));
        const change = changeBetween(wantedBy(known), wantedBy(whole));
        if (change === undefined) return;
        const named =
          proposal.serverIds.includes(subject.serverId) ||
          proposal.instances.some((each) => discoveredName(each) === discoveredName(instance(1)));
        expect(proposal.anyNode || named).toBe(true);
      }),
    );
  });

  it('knows the instances of discovered ones that are to go', () => {
    const name = discoveredName(instance(7));
    const proposal = propose({ drafts: [], removed: [name, 'aws-nothing'] }, AssignedSet.of([]), NOW);
    expect(proposal.instances).toEqual([instance(7)]);
    expect(proposal.goneKeys.has(instanceKey(7))).toBe(true);
    expect(proposal.anyNode).toBe(false);
  });
});

describe('a change of a node', () => {
  const wanted = (labels: Record<string, string>) =>
    wantedLabels({
      discovered: { state: 'live', source: { ...AWS, labels: new Map(Object.entries(labels)) } },
      assigned: { byInstance: [], byServerId: [], select: undefined },
      held: { state: 'none' },
    });

  it.each<[Record<string, string>, Record<string, string>, string[] | undefined, boolean]>([
    [{ a: '1' }, { a: '1' }, undefined, false],
    [{ a: '1' }, { a: '1', b: '2' }, ['+b'], false],
    [{ a: '1', b: '2' }, { a: '1' }, ['-b'], true],
    [{ a: '1' }, { a: '2' }, ['~a'], true],
    [{ a: '1' }, { b: '1' }, ['+b', '-a'], true],
  ])('from %j to %j is %j', (before, after, said, lossy) => {
    const change = changeBetween(wanted(before), wanted(after));
    const keys = change && [
      ...[...change.gained.keys()].map((key) => `+${key}`),
      ...[...change.lost.keys()].map((key) => `-${key}`),
      ...[...change.changed.keys()].map((key) => `~${key}`),
    ];
    expect(keys).toEqual(said);
    expect(change !== undefined && takesAway(change)).toBe(lossy);
  });

  it('is none where nobody can say what the node should have', () => {
    expect(changeBetween({ state: 'keep' }, wanted({ a: '1' }))).toBeUndefined();
  });
});
