import type { Filter } from '@aws-sdk/client-ec2';
import { INSTANCE_STATES } from './discovered.ts';
import type { DiscoveredInstance, InstanceState, ScanFilters } from './discovered.ts';
import { escapeWildcards, wildcardMatcher } from './wildcard.ts';

/** EC2 refuses a filter of more values; such a one is left to `matchesFilters` alone. */
const MAX_FILTER_VALUES = 200;

type Test = (instance: DiscoveredInstance) => boolean;

/** The filters of a scope do not change, and come with every instance: each is compiled once. */
const compiled = new WeakMap<ScanFilters, readonly Test[]>();

/**
 * Whether a scan with these filters would find the instance. Of a terminated one, EC2 no longer tells the
 * VPC: it fits any, so that its end is not missed.
 */
export function matchesFilters(instance: DiscoveredInstance, filters: ScanFilters): boolean {
  let tests = compiled.get(filters);
  if (tests === undefined) {
    tests = compile(filters);
    compiled.set(filters, tests);
  }
  return tests.every((test) => test(instance));
}

/**
 * What to ask EC2 for, one query after another: a superset of what the filters want, as small as EC2's own
 * filters make it (there is none for Linux).
 */
export function queriesOf(filters: ScanFilters): Filter[][] {
  const { vpcs = [], platforms = [] } = filters;
  const base = tagFilters(filters);
  if (platforms.length > 0 && !platforms.includes('linux')) {
    base.push({ Name: 'platform', Values: ['windows'] });
  }
  const states = wantedStates(filters);
  const first =
    states.length === INSTANCE_STATES.length
      ? base
      : [...base, { Name: 'instance-state-name', Values: states }];
  if (vpcs.length === 0 || vpcs.length > MAX_FILTER_VALUES) return [first];
  // What is terminated has lost its VPC: EC2 would not tell of it any more.
  const terminated = { Name: 'instance-state-name', Values: ['terminated'] };
  return [
    [...first, { Name: 'vpc-id', Values: [...vpcs] }],
    [...base, terminated],
  ];
}

function tagFilters({ tags = {} }: ScanFilters): Filter[] {
  return Object.entries(tags).flatMap(([key, values]) => {
    if (values.length === 0) return [{ Name: 'tag-key', Values: [escapeWildcards(key)] }];
    return values.length > MAX_FILTER_VALUES ? [] : [{ Name: `tag:${key}`, Values: [...values] }];
  });
}

function wantedStates({ states = [] }: ScanFilters): InstanceState[] {
  if (states.length === 0) return [...INSTANCE_STATES];
  return INSTANCE_STATES.filter((state) => state === 'terminated' || states.includes(state));
}

function compile(filters: ScanFilters): Test[] {
  const tests = Object.entries(filters.tags ?? {}).map(([key, values]) => tagTest(key, values));
  const states: ReadonlySet<string> = new Set(wantedStates(filters));
  if (states.size < INSTANCE_STATES.length) tests.push(({ state }) => states.has(state));
  const vpcs: ReadonlySet<string> = new Set(filters.vpcs ?? []);
  if (vpcs.size > 0) {
    tests.push(({ vpc, state }) => (vpc === undefined ? state === 'terminated' : vpcs.has(vpc)));
  }
  const platforms: ReadonlySet<string> = new Set(filters.platforms ?? []);
  if (platforms.size > 0) tests.push(({ platform }) => platforms.has(platform));
  return tests;
}

function tagTest(key: string, values: readonly string[]): Test {
  if (values.length === 0) return ({ tags }) => tags.has(key);
  const matchers = values.map(wildcardMatcher);
  return ({ tags }) => {
    const value = tags.get(key);
    return value !== undefined && matchers.some((fits) => fits(value));
  };
}
