import { durationFromMs, durationMs, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import type { InstanceKey } from '@tagplane/identity';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import type { Match, ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import type {
  AwsInstance,
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
    target:
      match.kind === 'aws-instance'
        ? { case: 'awsInstance', value: instanceToMessage(match.instance) }
        : { case: 'serverId', value: match.serverId },
  };
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
  };
}

export function optionalDurationMs(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration);
}

export function optionalTimestampMs(timestamp: Timestamp | undefined): number | undefined {
  return timestamp && timestampMs(timestamp);
}
