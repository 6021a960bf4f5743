import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { NodeSchema, SyncState, instanceToMessage, labelsToMessage } from '@tagplane/protocol';
import type { Node } from '@tagplane/protocol';
import type { Entry } from '@tagplane/store';
import { decodeNodeRecord } from '../nodes/node-codec.ts';
import { labelsOfNode, nodeSync } from '../nodes/node-record.ts';

const SYNC_STATES = {
  synced: SyncState.SYNCED,
  pending: SyncState.PENDING,
  stale: SyncState.STALE,
  unmatched: SyncState.UNMATCHED,
} as const;

/**
 * What clients see of a node's stored record.
 *
 * @param now Unix milliseconds; labels that have run out by then make the node stale
 * @throws NodeDecodeError
 */
export function nodeMessage(entry: Entry, now: number): Node {
  const record = decodeNodeRecord(entry);
  const { state, reason } = nodeSync(record, now);
  return create(NodeSchema, {
    serverId: record.serverId,
    hostname: record.hostname,
    connected: record.connected,
    authId: record.authId,
    agentVersion: record.agentVersion,
    ...(record.instance === undefined ? {} : { awsInstance: instanceToMessage(record.instance) }),
    labels: labelsToMessage(labelsOfNode(record)),
    sync: {
      state: SYNC_STATES[state],
      revision: record.wantedRevision,
      ackedRevision: record.acked.revision,
      reason,
    },
    lastSeen: timestampFromMs(record.lastSeen),
    recordRevision: BigInt(entry.revision),
  });
}
