import { describe, expect, it, jest } from '@jest/globals';
import { MAX_DYNAMIC_LABELS } from '@tagplane/labels';
import { silentLogger } from '@tagplane/runtime';
import { AssignedSet, serverInfoKey } from '@tagplane/serverinfo';
import { wantedLabels } from '@tagplane/session';
import type { Change, Put, Store } from '@tagplane/store';
import fc from 'fast-check';
import { assigned, instanceKey, put, remove, selecting } from '../testing/fleet.ts';
import { arbitraryName, arbitraryPut, infosOf, plainLabels, sortedLabels } from '../testing/plain-labels.ts';
import type { PlainSubject } from '../testing/plain-labels.ts';
import { testStores } from '../testing/test-plane.ts';
import { AssignedIndex } from './assigned-index.ts';

jest.setTimeout(120_000);

const { signal } = new AbortController();
const NOW = 1_000;

const arbitraryAws = fc.dictionary(
  fc.constantFrom('aws/team', 'aws/env'),
  fc.constantFrom('db', 'web', 'prod'),
  {
    maxKeys: 2,
  },
);

const arbitrarySubject: fc.Arbitrary<PlainSubject> = fc.record({
  serverId: fc.constantFrom('s1', 's2', 's3'),
  number: fc.integer({ min: 1, max: 3 }),
  aws: arbitraryAws.map((labels) => new Map(Object.entries(labels))),
});

function evaluated(
  set: Pick<AssignedSet, 'forNode'>,
  { serverId, number, aws }: PlainSubject,
): Record<string, string> {
  const wanted = wantedLabels({
    discovered: { state: 'live', source: { labels: aws, observedAt: undefined, expiresAt: undefined } },
    held: { state: 'none' },
    assigned: set.forNode({ serverId, instanceKey: instanceKey(number) }, NOW),
  });
  if (wanted.state !== 'known') throw new Error('nothing is known');
  return sortedLabels(wanted.sets['dynamic/']?.labels ?? new Map());
}

describe('what a node is assigned', () => {
  it('is what a plain evaluation of all ServerInfos says, whatever the order they came in', () => {
    fc.assert(
      fc.property(
        fc
          .array(arbitraryPut, { maxLength: 12 })
          .chain((puts) =>
            fc.tuple(
              fc.constant(infosOf(puts)),
              fc.shuffledSubarray(infosOf(puts), { minLength: infosOf(puts).length }),
            ),
          ),
        arbitrarySubject,
        ([infos, shuffled], subject) => {
          const expected = plainLabels(infos, subject);
          expect(evaluated(AssignedSet.of(infos), subject)).toEqual(expected);
          expect(evaluated(AssignedSet.of(shuffled), subject)).toEqual(expected);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is the same after any writes, feeds that say things twice or late, and restarts', async () => {
    type Step =
      { readonly put: Put } | { readonly removed: string } | 'feed' | 'feed again' | 'reload' | 'restart';
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 4, arbitrary: arbitraryPut.map((item) => ({ put: item })) },
      { weight: 2, arbitrary: arbitraryName.map((name) => ({ removed: serverInfoKey(name) })) },
      { weight: 4, arbitrary: fc.constantFrom('feed', 'feed again', 'reload', 'restart') },
    );
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 15 }),
      fc.array(arbitrarySubject, { minLength: 1, maxLength: 4 }),
      async (steps, subjects) => {
        await using stores = testStores();
        const store: Store = stores.serverInfos;
        const live = new Map<string, Put>();
        const changes: Change[] = [];
        const open = () => new AssignedIndex({ store, log: silentLogger() });
        let index = open();
        await index.load(signal);
        let fed = 0;
        for (const each of steps) {
          if (each === 'feed') {
            await index.apply(changes.slice(fed), signal);
            fed = changes.length;
          } else if (each === 'feed again') await index.apply(changes.toReversed(), signal);
          else if (each === 'reload') await index.load(signal);
          else if (each === 'restart') {
            index = open();
            await index.load(signal);
          } else if ('put' in each) {
            await put(store, each.put);
            live.set(each.put.key, each.put);
            changes.push({ type: 'put', key: each.put.key, revision: changes.length });
          } else {
            await remove(store, each.removed);
            live.delete(each.removed);
            changes.push({ type: 'deleted', key: each.removed, revision: changes.length });
          }
        }
        await index.apply(changes.slice(fed), signal);
        const infos = infosOf([...live.values()]);
        for (const subject of subjects)
          expect(evaluated(index.set, subject)).toEqual(plainLabels(infos, subject));
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  it('is never more than a node may have', () => {
    const many = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${prefix}${index}`, prefix]));
    const kinds = fc.constantFrom<string | number>('s1', 1, '*=*');
    fc.assert(
      fc.property(fc.array(kinds, { minLength: 1, maxLength: 8 }), (targets) => {
        const infos = infosOf(
          targets.map((target, index) =>
            target === '*=*'
              ? selecting(`n${index}`, target, many(`l${index}-`))
              : assigned(`n${index}`, target, many(`l${index}-`)),
          ),
        );
        const subject = { serverId: 's1', number: 1, aws: new Map<string, string>() };
        const size = Object.keys(evaluated(AssignedSet.of(infos), subject)).length;
        expect(size).toBe(Math.min(MAX_DYNAMIC_LABELS, 50 * targets.length));
      }),
    );
  });
});
