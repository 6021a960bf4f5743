import { describe, expect, it } from '@jest/globals';
import { AssignedSet } from '@tagplane/serverinfo';
import { NO_SPANS } from '@tagplane/session';
import type { Found } from '@tagplane/store';
import { assigned, discovered, instance, instanceKey, selecting } from '../testing/fleet.ts';
import { infosOf } from '../testing/plain-labels.ts';
import { evaluateRecord, instanceKeyOf } from './evaluate-record.ts';

const set = AssignedSet.of(
  infosOf([
    selecting('s', 'aws/team=db', { k: 'selector', tier: 'back' }),
    assigned('i', 1, { k: 'instance' }),
    assigned('n', 's1', { n: 'server id' }),
  ]),
);

function record(number: number | undefined, aws?: Record<string, string>) {
  const labels = aws && new Map(Object.entries(aws));
  const spans = labels === undefined ? NO_SPANS : { ...NO_SPANS, 'aws/': { observedAt: 1, expiresAt: 2 } };
  return {
    serverId: 's1',
    instance: number === undefined ? undefined : instance(number),
    acked: { revision: 'r', spans, sets: { 'aws/': labels, 'dynamic/': undefined } },
  };
}

const { key, value } = discovered(1, { team: 'db' });
const live: Found = { state: 'live', key, value, revision: 3, expiresAt: 9 };
const gone: Found = { state: 'gone', key, revision: 3, reason: 'deleted' };
const absent: Found = { state: 'absent', key };

describe('evaluateRecord', () => {
  it.each<[string, ReturnType<typeof record>, Found | undefined, string, Record<string, string>]>([
    [
      'the ServerInfo of its instance counts',
      record(1, { 'aws/team': 'old' }),
      live,
      'server-info',
      { 'aws/team': 'db', 'dynamic/tier': 'back', 'dynamic/k': 'instance', 'dynamic/n': 'server id' },
    ],
    [
      'what it holds counts while the store knows nothing',
      record(1, { 'aws/team': 'db' }),
      absent,
      'held',
      { 'aws/team': 'db', 'dynamic/tier': 'back', 'dynamic/k': 'instance', 'dynamic/n': 'server id' },
    ],
    [
      'what is gone counts for nothing',
      record(1, { 'aws/team': 'db' }),
      gone,
      'nothing',
      { 'dynamic/k': 'instance', 'dynamic/n': 'server id' },
    ],
    [
      'one that is no instance has its server id',
      record(undefined),
      undefined,
      'nothing',
      { 'dynamic/n': 'server id' },
    ],
  ])('%s', (_, node, found, basis, labels) => {
    const wanted = evaluateRecord(node, found, set, 0);
    if (wanted.state !== 'known') throw new Error('nothing is known');
    const both = [...(wanted.sets['aws/']?.labels ?? []), ...(wanted.sets['dynamic/']?.labels ?? [])];
    expect([wanted.basis, Object.fromEntries(both)]).toEqual([basis, labels]);
  });

  it('ends what rests on held labels with them', () => {
    const wanted = evaluateRecord(record(1, { 'aws/team': 'db' }), absent, set, 0);
    expect(wanted.state === 'known' && wanted.version.spans['dynamic/']).toEqual({
      observedAt: 1,
      expiresAt: 2,
    });
  });
});

describe('instanceKeyOf', () => {
  it('is the key of the ServerInfo of its instance', () => {
    expect([instanceKeyOf(record(1)), instanceKeyOf(record(undefined))]).toEqual([instanceKey(1), undefined]);
  });
});
