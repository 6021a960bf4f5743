import { parseInstanceId, parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { ignored, malformed } from './change.ts';
import type { Expectation, ParsedEvent } from './change.ts';
import { listAt, textAt } from './json.ts';
import { parseTime } from './event-head.ts';
import type { EventHead } from './event-head.ts';
import { MAX_RESOURCES, MAX_TAGS, isTagKey, isTagValue } from './tag-limits.ts';

/** How a call says which instances it was about, and what should come of it; undefined: malformed. */
interface Call {
  readonly ids: readonly string[];
  readonly member: string;
  expectation(event: object): Expectation | undefined;
}

const ANY: Expectation = { kind: 'any' };
const TAGGED = { ids: ['detail', 'requestParameters', 'resourcesSet', 'items'], member: 'resourceId' };
const NAMED = { ids: ['detail', 'requestParameters', 'instancesSet', 'items'], member: 'instanceId' };
const STARTED = { ids: ['detail', 'responseElements', 'instancesSet', 'items'], member: 'instanceId' };

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['CreateTags', { ...TAGGED, expectation: createdTags }],
  ['DeleteTags', { ...TAGGED, expectation: deletedTags }],
  ['RunInstances', { ...STARTED, expectation: () => ANY }],
  ['StartInstances', { ...NAMED, expectation: () => ({ kind: 'state', state: 'pending' }) }],
  ['StopInstances', { ...NAMED, expectation: () => ({ kind: 'state', state: 'stopping' }) }],
  ['TerminateInstances', { ...NAMED, expectation: () => ({ kind: 'state', state: 'shutting-down' }) }],
]);

/**
 * `AWS API Call via CloudTrail` of EC2: `detail: {eventName, eventTime, awsRegion, recipientAccountId,
 * errorCode?, requestParameters, responseElements}`. Resources of other kinds, which one call may tag
 * together with instances, are passed over.
 */
export function parseCloudTrailEvent(event: object, head: EventHead): ParsedEvent {
  const name = textAt(event, 'detail', 'eventName');
  if (name === undefined) return malformed('a call without a name');
  const call = CALLS.get(name);
  // In China the name goes on with `.cn`.
  const from = textAt(event, 'detail', 'eventSource') ?? '';
  if (call === undefined || !/^ec2\.amazonaws\.com(?:\.cn)?$/.test(from)) return ignored('other-event');
  if (textAt(event, 'detail', 'errorCode') !== undefined) return ignored('failed-call');
  const items = listAt(event, ...call.ids);
  if (items === undefined || items.length > MAX_RESOURCES) return malformed('no resources, or too many');
  const expectation = call.expectation(event);
  if (expectation === undefined) return malformed('no tags');
  const place = {
    account: textAt(event, 'detail', 'recipientAccountId') ?? head.account,
    region: textAt(event, 'detail', 'awsRegion') ?? head.region,
  };
  const keys = items.map((item) => keyOf(textAt(item, call.member), place));
  if (keys.includes('malformed')) return malformed('a resource without an id, account or region');
  const instances = keys.filter((key) => typeof key === 'object');
  if (instances.length === 0) return ignored('other-resource');
  const time = parseTime(textAt(event, 'detail', 'eventTime')) ?? head.time;
  const changes = instances.map((key) => ({ key, at: time, version: undefined, expectation }));
  return { kind: 'changes', id: head.id, source: 'cloudtrail', changes };
}

function keyOf(
  id: string | undefined,
  place: { account: string; region: string },
): InstanceKey | 'other' | 'malformed' {
  if (id === undefined) return 'malformed';
  if (parseInstanceId(id) === undefined) return 'other';
  return parseInstanceKey({ ...place, instance: id }) ?? 'malformed';
}

function createdTags(event: object): Expectation | undefined {
  const items = tagItems(event);
  if (items === undefined) return undefined;
  const tags = new Map<string, string>();
  for (const item of items) {
    const [key, value] = [textAt(item, 'key'), textAt(item, 'value') ?? ''];
    if (key === undefined || !isTagKey(key) || !isTagValue(value)) return undefined;
    tags.set(key, value);
  }
  return { kind: 'tags', tags };
}

/** A key with a value is removed only where it has that value, and no keys at all mean all of them. */
function deletedTags(event: object): Expectation | undefined {
  const items = tagItems(event) ?? [];
  const tags = new Map<string, undefined>();
  for (const item of items) {
    const key = textAt(item, 'key');
    if (key === undefined || !isTagKey(key)) return undefined;
    if (textAt(item, 'value') === undefined) tags.set(key, undefined);
  }
  return tags.size === 0 ? ANY : { kind: 'tags', tags };
}

function tagItems(event: object): readonly unknown[] | undefined {
  const items = listAt(event, 'detail', 'requestParameters', 'tagSet', 'items');
  return items !== undefined && items.length <= MAX_TAGS ? items : undefined;
}
