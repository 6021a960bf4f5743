import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { ignored, malformed } from './change.ts';
import type { InstanceChange, ParsedEvent } from './change.ts';
import { at, listAt, textAt } from './json.ts';
import type { EventHead } from './event-head.ts';
import { MAX_RESOURCES, MAX_TAGS, isTagKey, isTagValue } from './tag-limits.ts';

/** `arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0`, in any partition. */
const INSTANCE_ARN = /^arn:aws[a-z-]{0,20}:ec2:([a-z0-9-]{1,64}):([0-9]{12}):instance\/(i-[0-9a-f]{1,32})$/;

/**
 * `Tag Change on Resource`: `resources: [ARN], detail: {changed-tag-keys, service, resource-type, version,
 * tags}`, where `tags` are all the tags after the change, and a changed key that is not among them is gone.
 */
export function parseTagEvent(event: object, head: EventHead): ParsedEvent {
  const service = textAt(event, 'detail', 'service');
  const type = textAt(event, 'detail', 'resource-type');
  if (service === undefined || type === undefined) return malformed('tags of nothing');
  if (service !== 'ec2' || type !== 'instance') return ignored('other-resource');
  const tags = changedTags(event);
  if (tags === undefined) return malformed('no tags and changed keys');
  const resources = listAt(event, 'resources') ?? [];
  if (resources.length === 0 || resources.length > MAX_RESOURCES)
    return malformed('no resources, or too many');
  const versionAt = at(event, 'detail', 'version');
  const version = typeof versionAt === 'number' && Number.isSafeInteger(versionAt) ? versionAt : undefined;
  const changes: InstanceChange[] = [];
  for (const resource of resources) {
    const key = keyOf(resource);
    if (key === undefined) return malformed('a resource that is no instance');
    changes.push({ key, at: head.time, version, expectation: { kind: 'tags', tags } });
  }
  return { kind: 'changes', id: head.id, source: 'tag', changes };
}

function changedTags(event: object): ReadonlyMap<string, string | undefined> | undefined {
  const keys = listAt(event, 'detail', 'changed-tag-keys');
  const all = at(event, 'detail', 'tags');
  if (keys === undefined || keys.length > MAX_TAGS || typeof all !== 'object' || all === null)
    return undefined;
  const changed = new Map<string, string | undefined>();
  for (const key of keys) {
    if (typeof key !== 'string' || !isTagKey(key)) return undefined;
    const value = at(all, key);
    if (value !== undefined && (typeof value !== 'string' || !isTagValue(value))) return undefined;
    changed.set(key, value);
  }
  return changed;
}

function keyOf(resource: unknown): InstanceKey | undefined {
  if (typeof resource !== 'string') return undefined;
  const [, region = '', account = '', instance = ''] = INSTANCE_ARN.exec(resource) ?? [];
  return parseInstanceKey({ account, region, instance });
}
