import { describe, expect, it } from '@jest/globals';
import type { HeldSet } from '@tagplane/session';
import { counts, labelSets } from './label-sets.ts';
import type { LabelFacts } from './label-sets.ts';

const IMPORTED = {
  labels: new Map([['aws/env', 'metadata']]),
  ageMs: 1,
  remainingMs: 2,
  problem: undefined,
};
const NOTHING_HELD: LabelFacts['held'] = {
  ...{ revision: '', source: 'none', ageMs: undefined, remainingMs: undefined },
  ...{ fresh: [], stale: [] },
};

function facts(fresh: readonly HeldSet[], stale: readonly HeldSet[] = []): LabelFacts {
  return {
    stated: {
      configured: new Map([['role', 'web']]),
      commands: [
        { name: 'kernel', value: '6.1', ageMs: 5, remainingMs: 6, problem: undefined },
        { name: 'old', value: 'x', ageMs: 50, remainingMs: 0, problem: 'exit code 1' },
        { name: 'never', value: undefined, ageMs: undefined, remainingMs: 0, problem: 'exit code 1' },
      ],
      imported: IMPORTED,
    },
    held: { ...NOTHING_HELD, fresh, stale },
  };
}

function aws(labels: [string, string][], remainingMs = 10): HeldSet {
  return { namespace: 'aws/', labels: new Map(labels), ageMs: 3, remainingMs };
}

function sources(sets: ReturnType<typeof labelSets>): string[] {
  return sets.map((set) => `${set.source}${counts(set) ? '' : ' (stale)'}: ${[...set.labels.keys()].join()}`);
}

const OWN = ['own: role', 'command: kernel', 'command (stale): old'];

describe('labelSets', () => {
  it('has what the node says and what the auth service says', () => {
    const dynamic: HeldSet = { ...aws([['dynamic/a', 'b']]), namespace: 'dynamic/' };
    expect(sources(labelSets(facts([aws([['aws/env', 'prod']]), dynamic])))).toEqual([
      ...OWN,
      'discovered: aws/env',
      'assigned: dynamic/a',
    ]);
  });

  it.each<[string, LabelFacts, string[]]>([
    ['nobody else speaks of aws/', facts([]), ['imported: aws/env']],
    ['the auth service says that there are none', facts([aws([])]), ['discovered: ']],
    [
      'what the auth service said ran out',
      facts([], [aws([['aws/a', '']], 0)]),
      ['discovered (stale): aws/a'],
    ],
  ])('has the imported labels when nobody else speaks of aws/: %s', (_, given, expected) => {
    expect(sources(labelSets(given))).toEqual([...OWN, ...expected]);
  });

  it('is empty for a node that nobody says anything of', () => {
    const stated = { configured: new Map(), commands: [], imported: undefined };
    expect(labelSets({ stated, held: NOTHING_HELD })).toEqual([]);
  });
});
