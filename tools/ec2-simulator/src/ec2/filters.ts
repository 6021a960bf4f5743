import { AwsError, invalidValue, missingParameter } from '../aws-error.ts';
import { STATE_CODES, stateAt } from '../fleet/instance.ts';
import type { SimInstance } from '../fleet/instance.ts';
import { platformDetails, shapeOf } from '../fleet/shape.ts';
import { listOf, nestedTexts } from './parameters.ts';
import { wildcardMatcher } from './wildcard.ts';

/** "The maximum number of filter values specified on a single call" (EC2 API, Filter). */
const MAX_FILTER_VALUES = 200;
const TAG_PREFIX = 'tag:';

export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

/** `Filter.N.Name` and `Filter.N.Value.M`. Throws AwsError for incomplete or too many of them. */
export function readFilters(parameters: URLSearchParams): Filter[] {
  const filters = listOf(parameters, 'Filter').map((member) => {
    const name = member.get('Name');
    if (name === undefined || name === '') throw missingParameter('Filter.Name');
    const values = nestedTexts(member, 'Value');
    if (values.length === 0) throw invalidValue(`The filter '${name}' has no values`);
    return { name, values };
  });
  const count = filters.reduce((sum, { values }) => sum + values.length, 0);
  if (count > MAX_FILTER_VALUES) {
    throw new AwsError(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${MAX_FILTER_VALUES}`,
    );
  }
  return filters;
}

type Matcher<T> = (subject: T) => boolean;

/** A subject passes when each filter has a value that matches. Throws AwsError for an unknown filter. */
export function compileFilters<T>(
  filters: readonly Filter[],
  subjectTexts: (name: string) => ((subject: T) => Iterable<string>) | undefined,
): Matcher<T> {
  const matchers = filters.map(({ name, values }): Matcher<T> => {
    const texts = subjectTexts(name);
    if (texts === undefined) throw invalidValue(`The filter '${name}' is invalid`);
    const patterns = values.map(wildcardMatcher);
    return (subject) => {
      for (const text of texts(subject)) if (patterns.some((matches) => matches(text))) return true;
      return false;
    };
  });
  return (subject) => matchers.every((matches) => matches(subject));
}

/** The filters of DescribeInstances that the simulator knows. */
export function instanceTexts(now: number) {
  return (name: string): ((instance: SimInstance) => Iterable<string>) | undefined => {
    if (name.startsWith(TAG_PREFIX)) {
      const key = name.slice(TAG_PREFIX.length);
      return ({ tags }) => {
        const value = tags.get(key);
        return value === undefined ? [] : [value];
      };
    }
    if (name === 'tag-key') return ({ tags }) => tags.keys();
    if (name === 'tag-value') return ({ tags }) => tags.values();
    const one = INSTANCE_FILTERS.get(name);
    return one === undefined ? undefined : (instance) => [one(instance, now)];
  };
}

const INSTANCE_FILTERS = new Map<string, (instance: SimInstance, now: number) => string>([
  ['architecture', (instance) => shapeOf(instance).architecture],
  ['availability-zone', (instance) => shapeOf(instance).zone],
  ['image-id', (instance) => shapeOf(instance).imageId],
  ['instance-id', (instance) => instance.id],
  ['instance-state-code', (instance, now) => String(STATE_CODES[stateAt(instance, now)])],
  ['instance-state-name', (instance, now) => stateAt(instance, now)],
  ['instance-type', (instance) => shapeOf(instance).instanceType],
  ['key-name', (instance) => shapeOf(instance).keyName],
  ['owner-id', (instance) => instance.account],
  ['platform', ({ windows }) => (windows ? 'windows' : '')],
  ['platform-details', ({ windows }) => platformDetails(windows)],
  ['private-dns-name', (instance) => shapeOf(instance).privateDnsName],
  ['private-ip-address', (instance) => shapeOf(instance).privateIp],
  ['reservation-id', (instance) => instance.reservationId],
  ['subnet-id', (instance) => shapeOf(instance).subnetId],
  ['vpc-id', (instance) => shapeOf(instance).vpcId],
]);
