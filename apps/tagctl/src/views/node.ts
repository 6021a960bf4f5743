import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Labels } from '@tagplane/labels';
import { labelsFromMessage } from '@tagplane/protocol';
import { SyncState } from '@tagplane/protocol';
import type { AwsInstance, Node, Sync } from '@tagplane/protocol';

/** A node as JSON and YAML show it; others script against these names. */
export interface NodeView {
  readonly server_id: string;
  readonly hostname: string;
  readonly connected: boolean;
  readonly aws: InstanceView | null;
  readonly labels: Labels;
  readonly sync: SyncView;
  readonly auth_id: string;
  readonly agent_version: string;
  /** RFC 3339, UTC. */
  readonly last_seen: string | null;
}

export interface InstanceView {
  readonly account_id: string;
  readonly region: string;
  readonly instance_id: string;
}

export interface SyncView {
  readonly state: SyncStateName;
  readonly revision: string;
  readonly acked_revision: string;
  readonly reason?: string;
}

/** UNKNOWN: a state that this version does not know. */
export type SyncStateName = 'SYNCED' | 'PENDING' | 'STALE' | 'UNMATCHED' | 'UNKNOWN';

export function nodeView(node: Node): NodeView {
  return {
    server_id: node.serverId,
    hostname: node.hostname,
    connected: node.connected,
    aws: node.awsInstance === undefined ? null : instanceView(node.awsInstance),
    labels: labelsFromMessage(node.labels),
    sync: syncView(node.sync),
    auth_id: node.authId,
    agent_version: node.agentVersion,
    last_seen: timeView(node.lastSeen),
  };
}

export function instanceView(instance: AwsInstance): InstanceView {
  return { account_id: instance.accountId, region: instance.region, instance_id: instance.instanceId };
}

/** RFC 3339 in UTC, or null for none. */
export function timeView(timestamp: Timestamp | undefined): string | null {
  if (timestamp === undefined) return null;
  const date = timestampDate(timestamp);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function syncView(sync: Sync | undefined): SyncView {
  return {
    state: stateName(sync?.state),
    revision: sync?.revision ?? '',
    acked_revision: sync?.ackedRevision ?? '',
    ...(sync === undefined || sync.reason === '' ? {} : { reason: sync.reason }),
  };
}

function stateName(state: SyncState | undefined): SyncStateName {
  switch (state) {
    case SyncState.SYNCED:
      return 'SYNCED';
    case SyncState.PENDING:
      return 'PENDING';
    case SyncState.STALE:
      return 'STALE';
    case SyncState.UNMATCHED:
      return 'UNMATCHED';
    default:
      return 'UNKNOWN';
  }
}
