import type { SimInstance } from '../fleet/instance.ts';
import { escapeXml, xml } from '../xml.ts';
import type { Action } from './action.ts';
import { compileFilters, readFilters } from './filters.ts';
import { MAX_RESULTS, maxResults, refuseDryRun } from './parameters.ts';

interface ResourceTag {
  readonly instance: SimInstance;
  readonly key: string;
  readonly value: string;
}

const RESOURCE_TYPE = 'instance';
/** A position is an instance's place and a tag's place in it; an instance has far fewer tags than this. */
const TAG_PLACES = 1000;

export const describeTags: Action = ({ caller, parameters, now }, { fleet, tokens }) => {
  const limit = maxResults(parameters) ?? MAX_RESULTS;
  refuseDryRun(parameters);
  const filters = readFilters(parameters);
  const matches = compileFilters(filters, tagTexts);
  const query = JSON.stringify(['DescribeTags', caller.account, caller.region, filters]);
  const token = parameters.get('NextToken');
  const start = token === null || token === '' ? 0 : tokens.read(query, token, now);
  let items = '';
  let count = 0;
  let last = start;
  for (const [position, tag] of tagsAfter(
    fleet.after(caller.account, caller.region, sequenceBefore(start)),
  )) {
    if (position <= start || !matches(tag)) continue;
    if (count === limit) {
      const next = tokens.issue(query, last, now);
      return [`\n<tagSet>${items}\n</tagSet>\n<nextToken>${escapeXml(next)}</nextToken>`];
    }
    items += tagXml(tag);
    count += 1;
    last = position;
  }
  return [`\n<tagSet>${items}\n</tagSet>`];
};

function* tagsAfter(
  instances: Iterable<SimInstance>,
): Generator<readonly [position: number, tag: ResourceTag], void, undefined> {
  for (const instance of instances) {
    let place = 0;
    // Sorted, so that a tag set between two pages does not move the others.
    for (const [key, value] of [...instance.tags].sort(([a], [b]) => (a < b ? -1 : 1))) {
      place += 1;
      yield [instance.sequence * TAG_PLACES + place, { instance, key, value }];
    }
  }
}

/** The instance of the position itself may have more tags to come. */
function sequenceBefore(position: number): number {
  return Math.floor(position / TAG_PLACES) - 1;
}

function tagTexts(name: string): ((tag: ResourceTag) => Iterable<string>) | undefined {
  if (name === 'key') return ({ key }) => [key];
  if (name === 'value') return ({ value }) => [value];
  if (name === 'resource-id') return ({ instance }) => [instance.id];
  if (name === 'resource-type') return () => [RESOURCE_TYPE];
  if (!name.startsWith('tag:')) return undefined;
  const wanted = name.slice('tag:'.length);
  return ({ key, value }) => (key === wanted ? [value] : []);
}

function tagXml({ instance, key, value }: ResourceTag): string {
  return xml`
        <item>
            <resourceId>${instance.id}</resourceId>
            <resourceType>${RESOURCE_TYPE}</resourceType>
            <key>${escapeXml(key)}</key>
            <value>${escapeXml(value)}</value>
        </item>`;
}
