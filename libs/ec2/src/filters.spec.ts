import { describe, expect, it } from '@jest/globals';
import type { DiscoveredInstance, ScanFilters } from './discovered.ts';
import { matchesFilters, queriesOf } from './filters.ts';
import { fakeInstance } from './testing/index.ts';
import type { FakeInstanceParts } from './testing/index.ts';

const web: FakeInstanceParts = {
  tags: [
    ['env', 'prod'],
    ['Patch Group', ''],
  ],
  vpc: 'vpc-1',
};
const instance = (parts: FakeInstanceParts = {}): DiscoveredInstance => fakeInstance(1, { ...web, ...parts });
const ALL_STATES = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;

describe('matchesFilters', () => {
  it.each<[string, ScanFilters, FakeInstanceParts, boolean]>([
    ['nothing asked for', {}, {}, true],
    ['empty lists', { vpcs: [], states: [], platforms: [] }, {}, true],
    ['a value', { tags: { env: ['dev', 'prod'] } }, {}, true],
    ['another value', { tags: { env: ['dev'] } }, {}, false],
    ['a wildcard', { tags: { env: ['p*d'] } }, {}, true],
    ['case', { tags: { env: ['Prod'] } }, {}, false],
    ['any value', { tags: { 'Patch Group': [] } }, {}, true],
    ['an empty value', { tags: { 'Patch Group': [''] } }, {}, true],
    ['a key that is not there', { tags: { team: [] } }, {}, false],
    ['one of two keys', { tags: { env: ['prod'], team: ['a'] } }, {}, false],
    ['its VPC', { vpcs: ['vpc-0', 'vpc-1'] }, {}, true],
    ['another VPC', { vpcs: ['vpc-0'] }, {}, false],
    ['no VPC', { vpcs: ['vpc-1'] }, { vpc: undefined }, false],
    [
      'a terminated one, which has no VPC any more',
      { vpcs: ['vpc-1'] },
      { vpc: undefined, state: 'terminated' },
      true,
    ],
    ['a terminated one of another VPC', { vpcs: ['vpc-1'] }, { vpc: 'vpc-0', state: 'terminated' }, false],
    ['its state', { states: ['running'] }, {}, true],
    ['another state', { states: ['stopped'] }, {}, false],
    ['terminated, whatever the states', { states: ['stopped'] }, { state: 'terminated' }, true],
    ['its platform', { platforms: ['linux'] }, {}, true],
    ['another platform', { platforms: ['windows'] }, {}, false],
    ['either platform', { platforms: ['windows', 'linux'] }, {}, true],
    [
      'all at once',
      { tags: { env: ['prod'] }, vpcs: ['vpc-1'], states: ['running'], platforms: ['linux'] },
      {},
      true,
    ],
  ])('%s', (_, filters, parts, matches) => {
    expect(matchesFilters(instance(parts), filters)).toBe(matches);
    // Compiled, it says the same.
    expect(matchesFilters(instance(parts), filters)).toBe(matches);
  });
});

describe('queriesOf', () => {
  const filter = (Name: string, ...Values: string[]) => ({ Name, Values });
  const terminated = filter('instance-state-name', 'terminated');
  it.each<[string, ScanFilters, object[][]]>([
    ['nothing', {}, [[]]],
    ['tags', { tags: { env: ['p*', 'd?'] } }, [[filter('tag:env', 'p*', 'd?')]]],
    ['a key that looks like a wildcard', { tags: { 'a*?\\b': [] } }, [[filter('tag-key', 'a\\*\\?\\\\b')]]],
    ['states', { states: ['running'] }, [[filter('instance-state-name', 'running', 'terminated')]]],
    ['all states', { states: ALL_STATES }, [[]]],
    ['Windows', { platforms: ['windows'] }, [[filter('platform', 'windows')]]],
    ['Linux, which EC2 has no filter for', { platforms: ['linux'] }, [[]]],
    ['both', { platforms: ['linux', 'windows'] }, [[]]],
    [
      'a VPC, and the terminated ones, which have lost theirs',
      { vpcs: ['vpc-1'], tags: { env: ['a'] } },
      [
        [filter('tag:env', 'a'), filter('vpc-id', 'vpc-1')],
        [filter('tag:env', 'a'), terminated],
      ],
    ],
  ])('asks for %s', (_, filters, queries) => {
    expect(queriesOf(filters)).toEqual(queries);
  });

  it('keeps filters of more values than EC2 takes to itself', () => {
    const many = Array.from({ length: 201 }, (_, index) => `v-${index}`);
    expect(queriesOf({ tags: { env: many }, vpcs: many })).toEqual([[]]);
    expect(
      matchesFilters(instance({ tags: [['env', 'v-200']], vpc: 'v-200' }), {
        tags: { env: many },
        vpcs: many,
      }),
    ).toBe(true);
  });
});
