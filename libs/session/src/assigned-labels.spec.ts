import { describe, expect, it } from '@jest/globals';
import { MAX_DYNAMIC_LABELS } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { NOT_ASSIGNED, assignedLabels } from './assigned-labels.ts';
import type { AssignedSource, Assignments, LabelSource } from './assigned-labels.ts';

function source(
  name: string,
  labels: Record<string, string>,
  observedAt?: number,
  expiresAt?: number,
): AssignedSource {
  const keyed = Object.entries(labels).map(([key, value]) => [`dynamic/${key}`, value] as const);
  return { name, revision: 1, labels: new Map(keyed), observedAt, expiresAt };
}

function numbered(name: string, count: number, prefix: string): AssignedSource {
  const keys = Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`);
  return source(name, Object.fromEntries(keys.map((key) => [key, name])));
}

const AWS: LabelSource = { labels: new Map([['aws/team', 'db']]), observedAt: 100, expiresAt: 1_000 };

/** All of them match by a selector. */
function selected(sources: readonly AssignedSource[], restsOnAws = false): Assignments['select'] {
  return () => sources.map((each) => ({ source: each, restsOnAws }));
}

function result(assignments: Partial<Assignments>) {
  const { set, layers, omitted } = assignedLabels({ ...NOT_ASSIGNED, ...assignments }, AWS);
  return {
    labels: set && Object.fromEntries(set.labels),
    span: set && [set.observedAt, set.expiresAt],
    order: layers.map(({ by, source: { name } }) => `${by} ${name}`),
    omitted: omitted.toSorted(),
  };
}

describe('precedence', () => {
  const bySelector = selected([source('a', { k: 'selector a' }), source('z', { k: 'selector z', s: 'z' })]);
  const byInstance = [source('a', { k: 'instance a' }), source('y', { k: 'instance y', i: 'y' })];
  const byServerId = [source('a', { k: 'id a' }), source('b', { k: 'id b' })];

  it.each<[string, Partial<Assignments>, string | undefined, string[]]>([
    ['nothing at all', {}, undefined, []],
    ['of two selectors the later name', { select: bySelector }, 'selector z', ['selector a', 'selector z']],
    ['of two instances the later name', { byInstance }, 'instance y', ['instance a', 'instance y']],
    ['of two server ids the later name', { byServerId }, 'id b', ['server-id a', 'server-id b']],
    [
      'an instance before any selector',
      { select: bySelector, byInstance },
      'instance y',
      ['selector a', 'selector z', 'instance a', 'instance y'],
    ],
    [
      'a server id before all, whatever the names',
      { select: bySelector, byInstance, byServerId },
      'id b',
      ['selector a', 'selector z', 'instance a', 'instance y', 'server-id a', 'server-id b'],
    ],
  ])('%s', (_, assignments, value, order) => {
    const found = result(assignments);
    expect([found.labels?.['dynamic/k'], found.order]).toEqual([value, order]);
  });

  it('leaves standing what nobody overrules', () => {
    expect(result({ select: bySelector, byInstance, byServerId }).labels).toEqual({
      'dynamic/k': 'id b',
      'dynamic/i': 'y',
      'dynamic/s': 'z',
    });
  });
});

describe('stages', () => {
  it("shows selectors the aws/ labels and the first stage's, as they stand against each other", () => {
    const seen: Labels[] = [];
    const select: Assignments['select'] = (labels) => {
      seen.push(labels);
      return [{ source: source('late', { k: 'late', more: '1' }), restsOnAws: false }];
    };
    const byInstance = [source('a', { k: 'instance', i: '1' })];
    const byServerId = [source('b', { k: 'id' })];
    result({ select, byInstance, byServerId });
    expect(seen.map((labels) => Object.fromEntries(labels))).toEqual([
      { 'aws/team': 'db', 'dynamic/k': 'id', 'dynamic/i': '1' },
    ]);
    assignedLabels({ ...NOT_ASSIGNED, select }, undefined);
    expect(seen[1]?.size).toBe(0);
  });
});

describe('spans', () => {
  const endless = source('s', { k: '1' });

  it.each<[string, Partial<Assignments>, [number | undefined, number | undefined]]>([
    [
      'a selector over aws/ ends with aws/, and is as old',
      { select: selected([endless], true) },
      [100, 1_000],
    ],
    ['any other selector does not', { select: selected([endless]) }, [undefined, undefined]],
    [
      'its own end counts when it is earlier',
      { select: selected([source('s', { k: '1' }, 7, 9)], true) },
      [7, 9],
    ],
    [
      'the whole set has the common span',
      { select: selected([endless], true), byServerId: [source('n', { other: '1' }, undefined, 500)] },
      [100, 500],
    ],
    [
      'what is overruled altogether ends nothing',
      { select: selected([endless], true), byServerId: [source('n', { k: '2' })] },
      [undefined, undefined],
    ],
    [
      'a ServerInfo without labels ends nothing',
      { byServerId: [source('n', {}, 1, 2)] },
      [undefined, undefined],
    ],
  ])('%s', (_, assignments, span) => {
    expect(result(assignments).span).toEqual(span);
  });
});

describe('too many labels', () => {
  it('leaves out those of lowest precedence, by name within one ServerInfo, whatever their order', () => {
    const byServerId = [numbered('n', 50, 'n'), numbered('o', 50, 'o'), numbered('p', 50, 'p')];
    const byInstance = [numbered('i', 30, 'i')];
    const low = numbered('s', 25, 's');
    const backwards = { ...low, labels: new Map([...low.labels].toReversed()) };
    for (const lowest of [low, backwards]) {
      const select = selected([source('a', { gone: '1' }), lowest]);
      const { labels = {}, omitted } = result({ select, byInstance, byServerId });
      expect(Object.keys(labels)).toHaveLength(MAX_DYNAMIC_LABELS);
      expect(omitted).toEqual([
        'dynamic/gone',
        'dynamic/s020',
        'dynamic/s021',
        'dynamic/s022',
        'dynamic/s023',
        'dynamic/s024',
      ]);
      expect(labels['dynamic/s019']).toBe('s');
    }
  });

  it('leaves out nothing that has a place, and gives what is left out no say in the span', () => {
    const full = [0, 1, 2, 3].map((each) => numbered(`n${each}`, 50, `n${each}-`));
    const select = selected([source('s', { 'n0-000': 'overruled', extra: '1' }, 1, 2)]);
    const found = result({ select, byServerId: full });
    expect([found.omitted, found.span]).toEqual([['dynamic/extra'], [undefined, undefined]]);
    expect(found.labels?.['dynamic/n0-000']).toBe('n0');
  });

  it('lets selectors see only what the first stage leaves in', () => {
    const full = [0, 1, 2, 3, 4].map((each) => numbered(`n${each}`, 50, `n${each}-`));
    let size = 0;
    const select: Assignments['select'] = (labels) => {
      size = labels.size;
      return [];
    };
    expect(result({ select, byServerId: full }).omitted).toHaveLength(50);
    expect(size).toBe(MAX_DYNAMIC_LABELS + AWS.labels.size);
  });
});
