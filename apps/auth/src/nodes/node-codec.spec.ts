import { describe, expect, it } from '@jest/globals';
import { packLabels } from '@tagplane/serverinfo';
import fc from 'fast-check';
import { instance } from '../testing/fleet.ts';
import { NodeDecodeError, decodeNodeRecord, encodeNodeRecord } from './node-codec.ts';
import type { PackedNodeRecord } from './node-codec.ts';
import { labelsOfNode } from './node-record.ts';
import type { NodeRecord } from './node-record.ts';

const labels = fc
  .array(fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' })), {
    maxLength: 6,
  })
  .map((entries) => new Map([...entries, ['__proto__', 'x'], ['constructor', '']]));

const span = fc.option(
  fc.record({
    observedAt: fc.option(fc.integer({ min: 0 }), { nil: undefined }),
    expiresAt: fc.option(fc.integer({ min: 0 }), { nil: undefined }),
  }),
  { nil: undefined },
);

const records: fc.Arbitrary<NodeRecord> = fc.record({
  serverId: fc.constant('s1'),
  hostname: fc.string(),
  agentVersion: fc.string(),
  connected: fc.boolean(),
  authId: fc.string(),
  sessionId: fc.string(),
  instance: fc.constantFrom(undefined, instance(1)),
  own: labels,
  imported: labels,
  acked: fc.record({
    revision: fc.string(),
    spans: fc.record({ 'aws/': span, 'dynamic/': span }),
    sets: fc.record({
      'aws/': fc.option(labels, { nil: undefined }),
      'dynamic/': fc.option(labels, { nil: undefined }),
    }),
  }),
  wantedRevision: fc.string(),
  sync: fc.record({
    state: fc.constantFrom('synced' as const, 'pending', 'stale', 'unmatched'),
    reason: fc.string(),
  }),
  lastSeen: fc.integer({ min: 0 }),
  rolesRevision: fc.string(),
  delivery: fc.option(
    fc.record({ pushedBy: fc.string(), pushedAt: fc.integer({ min: 0 }), ackedAt: fc.integer({ min: 0 }) }),
    { nil: undefined },
  ),
});

function packed(record: NodeRecord): PackedNodeRecord {
  const { sets } = record.acked;
  return {
    ...record,
    own: packLabels(record.own),
    imported: packLabels(record.imported),
    acked: {
      ...record.acked,
      sets: {
        'aws/': sets['aws/'] && packLabels(sets['aws/']),
        'dynamic/': sets['dynamic/'] && packLabels(sets['dynamic/']),
      },
    },
  };
}

describe('the node record codec', () => {
  it('gives back exactly what it was given, whatever the keys', () => {
    const property = fc.property(records, (record) => {
      expect(decodeNodeRecord({ key: 's1', value: encodeNodeRecord(packed(record)) })).toEqual(record);
    });
    fc.assert(property);
  });

  const [sample] = fc.sample(records, { numRuns: 1, seed: 1 });
  const value = sample === undefined ? '' : encodeNodeRecord(packed(sample));

  it.each([
    ['no JSON', '{secret'],
    ['no array', '{}'],
    ['another version', value.replace('[1,', '[2,')],
    ['no facts', '[1,null,[],[],null,null]'],
    ['half a label', value.replace(/,\[[^\]]*\],(?=\[|null)/, ',["secret"],')],
    ['no instance', value.replace(/\["123456789012"[^\]]*\]|null/, '["x","y","z"]')],
  ])('refuses %s without showing a label', (_, broken) => {
    const decode = (): NodeRecord => decodeNodeRecord({ key: 's1', value: broken });
    expect(decode).toThrow(NodeDecodeError);
    expect(decode).not.toThrow(/secret/);
  });

  it('reads a record of a version that kept less', () => {
    const [version, facts, ...sets] = JSON.parse(value) as [number, unknown[], ...unknown[]];
    const old = JSON.stringify([version, facts.slice(0, 13), ...sets]);
    const { lastSeen, own } = sample ?? {};
    expect(decodeNodeRecord({ key: 's1', value: old })).toMatchObject({ lastSeen, own, delivery: undefined });
  });

  it('shows the labels by which the node decides', () => {
    const base = { ...sample, own: new Map([['a', '1']]), imported: new Map([['aws/i', '2']]) } as NodeRecord;
    const sets = { 'aws/': undefined, 'dynamic/': new Map([['dynamic/d', '3']]) };
    const record = { ...base, acked: { ...base.acked, sets } };
    expect([...labelsOfNode(record).keys()]).toEqual(['a', 'aws/i', 'dynamic/d']);
  });
});
