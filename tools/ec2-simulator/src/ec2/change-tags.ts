import { invalidValue, missingParameter } from '../aws-error.ts';
import { checkTagCount, checkUserTag, isReservedKey } from '../fleet/tag-rules.ts';
import type { SimInstance } from '../fleet/instance.ts';
import type { Action } from './action.ts';
import { findInstances } from './instance-ids.ts';
import { listOf, refuseDryRun, textsOf } from './parameters.ts';
import type { ListMember } from './parameters.ts';

const DONE = ['\n<return>true</return>'];

export const createTags: Action = ({ caller, parameters }, { fleet }) => {
  const tags = readTags(listOf(parameters, 'Tag'));
  if (tags.size === 0) throw missingParameter('Tag');
  const instances = findInstances(fleet, caller, textsOf(parameters, 'ResourceId'));
  const changed = instances.map((instance): [SimInstance, Map<string, string>] => [
    instance,
    new Map([...instance.tags, ...tags]),
  ]);
  for (const [, all] of changed) checkTagCount(all);
  refuseDryRun(parameters);
  for (const [instance, all] of changed) fleet.replaceTags(instance, all, 'CreateTags');
  return DONE;
};

/**
 * A key alone removes the tag; a key with a value, also an empty one, only a tag of just that value; no
 * tags at all remove every tag that is the user's own.
 */
export const deleteTags: Action = ({ caller, parameters }, { fleet }) => {
  const unwanted = listOf(parameters, 'Tag').map((member): [string, string | undefined] => {
    const key = member.get('Key');
    if (key === undefined) throw missingParameter('Tag.Key');
    if (isReservedKey(key)) throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
    return [key, member.get('Value')];
  });
  const instances = findInstances(fleet, caller, textsOf(parameters, 'ResourceId'));
  refuseDryRun(parameters);
  for (const instance of instances) {
    fleet.replaceTags(instance, without(instance.tags, unwanted), 'DeleteTags');
  }
  return DONE;
};

function without(
  tags: ReadonlyMap<string, string>,
  unwanted: readonly (readonly [string, string | undefined])[],
): Map<string, string> {
  if (unwanted.length === 0) return new Map([...tags].filter(([key]) => isReservedKey(key)));
  const left = new Map(tags);
  for (const [key, value] of unwanted) {
    if (value === undefined || left.get(key) === value) left.delete(key);
  }
  return left;
}

/** The `Key` and `Value` of each member; a missing value is an empty one. Throws AwsError. */
export function readTags(members: readonly ListMember[]): Map<string, string> {
  const tags = new Map<string, string>();
  for (const member of members) {
    const key = member.get('Key') ?? '';
    const value = member.get('Value') ?? '';
    checkUserTag(key, value);
    if (tags.has(key)) throw invalidValue(`Duplicate tag key '${key}' specified.`);
    tags.set(key, value);
  }
  return tags;
}
