import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Labels, Namespace } from '@tagplane/labels';
import {
  NodeLabelSetSchema,
  NodeLabelSource,
  NodeSchema,
  SyncState,
  instanceToMessage,
  labelsToMessage,
} from '@tagplane/protocol';
import type { Node, NodeLabelSet } from '@tagplane/protocol';
import type { Entry } from '@tagplane/store';
import { decodeNodeRecord } from '../nodes/node-codec.ts';
import { labelsOfNode, nodeSync } from '../nodes/node-record.ts';
import type { NodeRecord } from '../nodes/node-record.ts';

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
  return nodeMessageOf(decodeNodeRecord(entry), entry.revision, now);
}

/** The same for one whose labels are picked; undefined for any other. @throws NodeDecodeError */
export function pickedNodeMessage(
  entry: Entry,
  now: number,
  picks: (labels: Labels) => boolean,
): Node | undefined {
  const record = decodeNodeRecord(entry);
  return picks(labelsOfNode(record)) ? nodeMessageOf(record, entry.revision, now) : undefined;
}

/** The same for a record that was read already. */
export function nodeMessageOf(record: NodeRecord, revision: number, now: number): Node {
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
    rolesRevision: record.rolesRevision,
    recordRevision: BigInt(revision),
    labelSets: labelSets(record),
  });
}

/** All of `labels` together: what the node imported is in it only while no ServerInfo speaks for it. */
function labelSets(record: NodeRecord): NodeLabelSet[] {
  const { own, imported, acked } = record;
  const { OWN, IMPORTED, DISCOVERED, ASSIGNED } = NodeLabelSource;
  return [
    ...labelSet(OWN, own),
    ...(acked.sets['aws/'] === undefined
      ? labelSet(IMPORTED, imported)
      : ackedSet(DISCOVERED, record, 'aws/')),
    ...ackedSet(ASSIGNED, record, 'dynamic/'),
  ];
}

function ackedSet(source: NodeLabelSource, { acked }: NodeRecord, namespace: Namespace): NodeLabelSet[] {
  const { observedAt, expiresAt } = acked.spans[namespace] ?? {};
  return labelSet(source, acked.sets[namespace], {
    ...(observedAt === undefined ? {} : { observedAt: timestampFromMs(observedAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: timestampFromMs(expiresAt) }),
  });
}

/** None for no labels. */
function labelSet(
  source: NodeLabelSource,
  labels: Labels | undefined,
  times: Partial<Pick<NodeLabelSet, 'observedAt' | 'expiresAt'>> = {},
): NodeLabelSet[] {
  if (labels === undefined || labels.size === 0) return [];
  return [create(NodeLabelSetSchema, { source, labels: labelsToMessage(labels), ...times })];
}
