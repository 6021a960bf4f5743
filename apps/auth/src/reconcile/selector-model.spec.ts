import { describe, expect, it, jest } from '@jest/globals';
import { MAX_DYNAMIC_LABELS, compileSelector } from '@tagplane/labels';
import { silentLogger } from '@tagplane/runtime';
import { AssignedSet, decodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import { wantedLabels } from '@tagplane/session';
import type { Change, Put, Store } from '@tagplane/store';
import fc from 'fast-check';
import { assigned, instance, instanceKey, put, remove, selecting } from '../testing/fleet.ts';
import { testStores } from '../testing/test-plane.ts';
import { AssignedIndex } from './assigned-index.ts';

jest.setTimeout(120_000);

const { signal } = new AbortController();
const NOW = 1_000;

/** Some of a few names, so that one often takes the place of another. */
const arbitraryName = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const arbitraryLabels = fc.dictionary(fc.constantFrom('k', 'l', 'm'), fc.constantFrom('1', '2'), {
  maxKeys: 3,
});
const arbitraryText = fc.constantFrom(
  '*=*',
  'aws/team=db',
  'aws/team=[db, web]',
  'aws/env=p*',
  'dynamic/k=1',
);
const arbitraryPut: fc.Arbitrary<Put> = fc.oneof(
  fc.tuple(arbitraryName, arbitraryText, arbitraryLabels).map((args) => selecting(...args)),
  fc
    .tuple(arbitraryName, fc.constantFrom<string | number>('s1', 's2', 1, 2), arbitraryLabels)
    .map((args) => assigned(...args)),
);
const arbitraryAws = fc.dictionary(
  fc.constantFrom('aws/team', 'aws/env'),
  fc.constantFrom('db', 'web', 'prod'),
  {
    maxKeys: 2,
  },
);

interface Subject {
  readonly serverId: string;
  readonly number: number;
  readonly aws: ReadonlyMap<string, string>;
}

const arbitrarySubject: fc.Arbitrary<Subject> = fc.record({
  serverId: fc.constantFrom('s1', 's2', 's3'),
  number: fc.integer({ min: 1, max: 3 }),
  aws: arbitraryAws.map((labels) => new Map(Object.entries(labels))),
});

/** As one would say it: go through all of them, in order of precedence, and let each later one win. */
function plainly(infos: readonly ServerInfo[], { serverId, number, aws }: Subject): Record<string, string> {
  const named = infos.filter(({ match }) =>
    match.kind === 'server-id'
      ? match.serverId === serverId
      : match.kind === 'aws-instance' && match.instance.instance === instance(number).instance,
  );
  const inOrder = (kind: string, from: readonly ServerInfo[]) =>
    from.filter(({ match }) => match.kind === kind).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const firstStage = [...inOrder('aws-instance', named), ...inOrder('server-id', named)];
  const seen = new Map([...aws, ...firstStage.flatMap(({ labels }) => [...labels])]);
  const picking = infos.filter(
    ({ match }) => match.kind === 'selector' && compileSelector(match.selector).matches(seen),
  );
  const all = [...inOrder('selector', picking), ...firstStage];
  return sorted(new Map(all.flatMap(({ labels }) => [...labels])));
}

function evaluated(
  set: Pick<AssignedSet, 'forNode'>,
  { serverId, number, aws }: Subject,
): Record<string, string> {
  const wanted = wantedLabels({
    discovered: { state: 'live', source: { labels: aws, observedAt: undefined, expiresAt: undefined } },
    held: { state: 'none' },
    assigned: set.forNode({ serverId, instanceKey: instanceKey(number) }, NOW),
  });
  if (wanted.state !== 'known') throw new Error('nothing is known');
  return sorted(wanted.sets['dynamic/']?.labels ?? new Map());
}

function sorted(labels: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...labels].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function infosOf(puts: readonly Put[]): ServerInfo[] {
  const latest = new Map(puts.map((item) => [item.key, item]));
  return [...latest.values()].map(({ key, value }) =>
    decodeServerInfo({ key, value, revision: 1, expiresAt: undefined }),
  );
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
          const expected = plainly(infos, subject);
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
          expect(evaluated(index.set, subject)).toEqual(plainly(infos, subject));
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
