import { describe, expect, it } from '@jest/globals';
import { labelsRevision } from '@tagplane/labels';
import fc from 'fast-check';
import { NOT_ASSIGNED } from './assigned-labels.ts';
import type { Assignments, LabelSource } from './assigned-labels.ts';
import { NO_SPANS } from './lifetimes.ts';
import { nodeLabels, versionOf, wantedLabels } from './wanted-labels.ts';
import type { Discovered, HeldAws } from './wanted-labels.ts';

function source(labels: Record<string, string>, observedAt?: number, expiresAt?: number): LabelSource {
  return { labels: new Map(Object.entries(labels)), observedAt, expiresAt };
}

/** By server id, in this order. */
function named(sources: readonly LabelSource[]): Assignments {
  const byServerId = sources.map((each, index) => ({ ...each, name: `n${index}`, revision: 1 }));
  return { ...NOT_ASSIGNED, byServerId };
}

const ec2 = source({ 'aws/Name': 'web', 'aws/team': 'a' }, 100, 1_000);
const live: Discovered = { state: 'live', source: ec2 };
const old = source({ 'aws/Name': 'old' }, 50, 500);
const none: HeldAws = { state: 'none' };

describe('wantedLabels', () => {
  it.each<[string, Discovered, HeldAws, string, LabelSource | undefined]>([
    ['the ServerInfo counts', live, none, 'server-info', ec2],
    ['it replaces what is held', live, { state: 'known', source: old }, 'server-info', ec2],
    ['it replaces what nobody knows', live, { state: 'unknown' }, 'server-info', ec2],
    ['gone takes labels away', { state: 'gone' }, { state: 'known', source: old }, 'nothing', undefined],
    ['gone takes unknown labels away', { state: 'gone' }, { state: 'unknown' }, 'nothing', undefined],
    ['absent keeps what is held', { state: 'absent' }, { state: 'known', source: old }, 'held', old],
    ['denied empties the set', { state: 'denied' }, { state: 'known', source: old }, 'denied', source({})],
    ['denied empties what nobody knows', { state: 'denied' }, { state: 'unknown' }, 'denied', source({})],
    ['absent with nothing held is nothing', { state: 'absent' }, none, 'nothing', undefined],
  ])('%s', (_, discovered, held, basis, aws) => {
    const wanted = wantedLabels({ discovered, held, assigned: NOT_ASSIGNED });
    expect(wanted).toMatchObject({ state: 'known', basis, sets: { 'aws/': aws, 'dynamic/': undefined } });
  });

  it('says nothing when the store knows nothing and the held labels are unknown', () => {
    const assigned = named([source({ 'dynamic/a': '1' })]);
    expect(wantedLabels({ discovered: { state: 'absent' }, held: { state: 'unknown' }, assigned })).toEqual({
      state: 'keep',
    });
  });

  it('lets the later of two assigned ServerInfos win a key, and ends with the first of them', () => {
    const assigned = named([
      source({ 'dynamic/a': '1', 'dynamic/b': '1' }, 20, 900),
      source({ 'dynamic/b': '2', 'dynamic/c': '2' }, 10, 800),
      source({ 'dynamic/c': '3' }, undefined, undefined),
    ]);
    const wanted = wantedLabels({ discovered: live, held: none, assigned });
    expect(wanted).toMatchObject({
      sets: {
        'dynamic/': source({ 'dynamic/a': '1', 'dynamic/b': '2', 'dynamic/c': '3' }, 10, 800),
      },
      version: {
        spans: {
          'aws/': { observedAt: 100, expiresAt: 1_000 },
          'dynamic/': { observedAt: 10, expiresAt: 800 },
        },
      },
    });
  });

  it('says that an emptied set is another content than none, and keeps what operators assigned', () => {
    const assigned = named([source({ 'dynamic/a': '1' })]);
    const denied = wantedLabels({ discovered: { state: 'denied' }, held: none, assigned });
    const nothing = wantedLabels({ discovered: { state: 'gone' }, held: none, assigned });
    if (denied.state !== 'known' || nothing.state !== 'known') throw new Error('unknown');
    expect(denied.version).toEqual({ ...nothing.version, cleared: true });
    const imported = new Map([['aws/Name', 'mine']]);
    const own = new Map<string, string>();
    const labelsBy = (sets: typeof denied.sets) =>
      nodeLabels({
        own,
        imported,
        sets: { 'aws/': sets['aws/']?.labels, 'dynamic/': sets['dynamic/']?.labels },
      });
    expect([...labelsBy(denied.sets).keys()]).toEqual(['dynamic/a']);
    expect([...labelsBy(nothing.sets).keys()]).toEqual(['aws/Name', 'dynamic/a']);
  });

  it('names content by content alone, and gives a set without labels no lifetime', () => {
    const empty = versionOf({ 'aws/': source({}, 1, 2), 'dynamic/': undefined });
    expect(empty).toEqual({ revision: '', spans: NO_SPANS });
    const later = versionOf({ 'aws/': { ...ec2, observedAt: 7, expiresAt: 8 }, 'dynamic/': undefined });
    expect(later.revision).toBe(labelsRevision(ec2.labels));
  });

  it('never takes aws/ labels away without the word of the store, whatever else changes', () => {
    const value = fc.string({ maxLength: 5 });
    const sources = (namespace: string) =>
      fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), value, { maxKeys: 4 }).map((entries) => ({
        labels: new Map(Object.entries(entries).map(([key, text]) => [namespace + key, text])),
        observedAt: undefined,
        expiresAt: undefined,
      }));
    const property = fc.property(
      sources('aws/'),
      fc.array(sources('dynamic/'), { maxLength: 3 }),
      fc.boolean(),
      (held, assigned, known) => {
        const wanted = wantedLabels({
          discovered: { state: 'absent' },
          held: known ? { state: 'known', source: held } : { state: 'unknown' },
          assigned: named(assigned),
        });
        if (wanted.state === 'keep') {
          expect(known).toBe(false);
          return;
        }
        expect(wanted.sets['aws/']).toBe(held);
        const expected = new Map(assigned.flatMap(({ labels }) => [...labels]));
        expect(new Map(wanted.sets['dynamic/']?.labels)).toEqual(expected);
        expect(wanted.version.revision).toBe(labelsRevision(new Map([...held.labels, ...expected])));
      },
    );
    fc.assert(property);
  });
});

describe('nodeLabels', () => {
  const own = new Map([['env', 'prod']]);
  const imported = new Map([
    ['aws/Name', 'from-metadata'],
    ['aws/old', 'x'],
  ]);
  const dynamic = new Map([['dynamic/a', '1']]);

  it.each([
    ['imported labels stand without a ServerInfo', undefined, ['env', 'aws/Name', 'aws/old', 'dynamic/a']],
    ['a ServerInfo clears them all', ec2.labels, ['env', 'aws/Name', 'aws/team', 'dynamic/a']],
    ['also one without labels', new Map<string, string>(), ['env', 'dynamic/a']],
  ])('%s', (_, aws, keys) => {
    const labels = nodeLabels({ own, imported, sets: { 'aws/': aws, 'dynamic/': dynamic } });
    expect([...labels.keys()]).toEqual(keys);
    expect(labels.get('aws/Name')).toBe(aws === undefined ? 'from-metadata' : aws.get('aws/Name'));
  });
});
