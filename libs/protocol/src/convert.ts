import { durationFromMs, durationMs, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import type { InstanceKey } from '@tagplane/identity';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { Labels, Selector } from '@tagplane/labels';
import type { Match, RejectedKey, ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import type { Selector as SelectorMessage } from './gen/tagplane/v1/selector_pb.ts';
import type {
  AwsInstance,
  RejectedTag,
  ServerInfo as ServerInfoMessage,
  ServerInfoMatch,
} from './gen/tagplane/v1/serverinfo_pb.ts';

/** A map field's value. `Object.fromEntries` makes own properties, also of a key such as `__proto__`. */
export function labelsToMessage(labels: Labels): Record<string, string> {
  return Object.fromEntries(labels);
}

export function labelsFromMessage(map: Readonly<Record<string, string>>): Labels {
  const labels = new Map<string, string>();
  // Faster than by way of entries, and upserts come by the hundred thousand.
  for (const key of Object.keys(map)) labels.set(key, map[key] ?? '');
  return labels;
}

// Messages of these types are written out below: `create` with initial values looks at every field by
// reflection and takes four times as long.

export function instanceToMessage(key: InstanceKey): AwsInstance {
  return {
    $typeName: 'tagplane.v1.AwsInstance',
    accountId: key.account,
    region: key.region,
    instanceId: key.instance,
  };
}

/** Undefined when one of its parts is malformed. */
export function instanceFromMessage(message: AwsInstance): InstanceKey | undefined {
  return parseInstanceKey({
    account: message.accountId,
    region: message.region,
    instance: message.instanceId,
  });
}

export function matchToMessage(match: Match): ServerInfoMatch {
  return {
    $typeName: 'tagplane.v1.ServerInfoMatch',
    target: targetToMessage(match),
  };
}

function targetToMessage(match: Match): ServerInfoMatch['target'] {
  switch (match.kind) {
    case 'aws-instance':
      return { case: 'awsInstance', value: instanceToMessage(match.instance) };
    case 'server-id':
      return { case: 'serverId', value: match.serverId };
    case 'selector':
      return { case: 'selector', value: selectorToMessage(match.selector) };
  }
}

export function selectorToMessage({ terms }: Selector): SelectorMessage {
  return {
    $typeName: 'tagplane.v1.Selector',
    terms: terms.map(({ key, values }) => ({
      $typeName: 'tagplane.v1.SelectorTerm',
      key,
      values: [...values],
    })),
  };
}

/** As it came: whether its patterns are any good is `selectorProblem`'s to say. */
export function selectorFromMessage({ terms }: SelectorMessage): Selector {
  return { terms: terms.map(({ key, values }) => ({ key, values })) };
}

/** Undefined when it is malformed, empty, or of a kind that this version does not know. */
export function matchFromMessage(message: ServerInfoMatch | undefined): Match | undefined {
  const target = message?.target;
  if (target?.case === 'awsInstance') {
    const instance = instanceFromMessage(target.value);
    return instance && { kind: 'aws-instance', instance };
  }
  if (target?.case === 'serverId') {
    const serverId = parseServerId(target.value);
    return serverId && { kind: 'server-id', serverId };
  }
  if (target?.case === 'selector') return { kind: 'selector', selector: selectorFromMessage(target.value) };
  return undefined;
}

/** What a writer sends. */
export function draftToMessage(draft: ServerInfoDraft): ServerInfoMessage {
  return {
    $typeName: 'tagplane.v1.ServerInfo',
    name: draft.name,
    match: matchToMessage(draft.match),
    labels: labelsToMessage(draft.labels),
    revision: 0n,
    origin: '',
    rejectedTags: rejectedToMessage(draft.rejected),
    ...(draft.expectedRevision === undefined ? {} : { expectedRevision: BigInt(draft.expectedRevision) }),
    ...(draft.observedAt === undefined ? {} : { observedAt: timestampFromMs(draft.observedAt) }),
    ...(draft.ttlMs === undefined ? {} : { ttl: durationFromMs(draft.ttlMs) }),
  };
}

/** Undefined when the match is malformed; names, labels and bounds are the domain's to check. */
export function draftFromMessage(message: ServerInfoMessage): ServerInfoDraft | undefined {
  const match = matchFromMessage(message.match);
  if (match === undefined) return undefined;
  return {
    name: message.name,
    match,
    labels: labelsFromMessage(message.labels),
    observedAt: optionalTimestampMs(message.observedAt),
    ttlMs: optionalDurationMs(message.ttl),
    ...(message.expectedRevision === undefined ? {} : { expectedRevision: Number(message.expectedRevision) }),
    ...rejectedFromMessage(message.rejectedTags),
  };
}

export function serverInfoToMessage(info: ServerInfo): ServerInfoMessage {
  return {
    $typeName: 'tagplane.v1.ServerInfo',
    name: info.name,
    match: matchToMessage(info.match),
    labels: labelsToMessage(info.labels),
    revision: BigInt(info.revision),
    origin: info.origin,
    rejectedTags: rejectedToMessage(info.rejected),
    ...(info.observedAt === undefined ? {} : { observedAt: timestampFromMs(info.observedAt) }),
    ...(info.expiresAt === undefined ? {} : { expiresAt: timestampFromMs(info.expiresAt) }),
  };
}

/** Undefined when the match is malformed or of a kind that this version does not know. */
export function serverInfoFromMessage(message: ServerInfoMessage): ServerInfo | undefined {
  const match = matchFromMessage(message.match);
  if (match === undefined) return undefined;
  return {
    name: message.name,
    match,
    labels: labelsFromMessage(message.labels),
    observedAt: optionalTimestampMs(message.observedAt),
    expiresAt: optionalTimestampMs(message.expiresAt),
    revision: Number(message.revision),
    origin: message.origin,
    ...rejectedFromMessage(message.rejectedTags),
  };
}

function rejectedToMessage(rejected: readonly RejectedKey[] = []): RejectedTag[] {
  return rejected.map(({ key, reason }) => ({ $typeName: 'tagplane.v1.RejectedTag', key, reason }));
}

function rejectedFromMessage(tags: readonly RejectedTag[]): { rejected?: readonly RejectedKey[] } {
  return tags.length === 0 ? {} : { rejected: tags.map(({ key, reason }) => ({ key, reason })) };
}

export function optionalDurationMs(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration);
}

export function optionalTimestampMs(timestamp: Timestamp | undefined): number | undefined {
  return timestamp && timestampMs(timestamp);
}
