import type { InstanceKey } from '@tagplane/identity';
import { NAMESPACES } from '@tagplane/labels';
import type { Labels, Namespace } from '@tagplane/labels';
import { nodeLabels } from '@tagplane/session';
import type { Spans } from '@tagplane/session';

/** As in the protocol's SyncState. */
export type SyncState = 'synced' | 'pending' | 'stale' | 'unmatched';

export interface NodeSync {
  readonly state: SyncState;
  /** Why it is not synced, for a person, or what there is to say of it when it is; mostly empty then. */
  readonly reason: string;
}

/** The labels that a node acknowledged, or was found to hold, from the auth service. */
export interface AckedLabels {
  readonly revision: string;
  readonly spans: Spans;
  /** `aws/` undefined: no ServerInfo speaks for the node, and what it imported stands. */
  readonly sets: Readonly<Record<Namespace, Labels | undefined>>;
}

/** How what a node holds got there. Unix milliseconds of the auth process. */
export interface LabelDelivery {
  /** The auth process that sent it. */
  readonly pushedBy: string;
  readonly pushedAt: number;
  readonly ackedAt: number;
}

/** What the auth service keeps of a node: all that any of its processes needs to show or resume it. */
export interface NodeRecord {
  readonly serverId: string;
  readonly hostname: string;
  readonly agentVersion: string;
  readonly connected: boolean;
  /** The auth process that holds, or last held, its stream, and that stream. */
  readonly authId: string;
  readonly sessionId: string;
  readonly instance: InstanceKey | undefined;
  /** Static and command labels. */
  readonly own: Labels;
  /** `aws/` labels that the agent imported from instance metadata. */
  readonly imported: Labels;
  readonly acked: AckedLabels;
  /** The latest one on this stream; undefined: none yet. */
  readonly delivery?: LabelDelivery | undefined;
  /** Revision of what it should have. */
  readonly wantedRevision: string;
  /** Of the roles that it acknowledged; empty: none yet. */
  readonly rolesRevision: string;
  /** As of the write; `nodeSync` says how it stands now. */
  readonly sync: NodeSync;
  /** The last message that said something of it: Unix milliseconds of the writing process. */
  readonly lastSeen: number;
}

/** Whether the node has what it should have, now: labels run out also while nobody writes the record. */
export function nodeSync(record: NodeRecord, now: number): NodeSync {
  return syncAt(record.sync, record, now);
}

/** `sync` at a time when what the node holds may have run out; it counts while nothing newer is wanted. */
export function syncAt(
  sync: NodeSync,
  labels: { readonly wantedRevision: string; readonly acked: Pick<AckedLabels, 'revision' | 'spans'> },
  now: number,
): NodeSync {
  const { wantedRevision, acked } = labels;
  if (sync.state === 'unmatched' || wantedRevision !== acked.revision) return sync;
  const ended = NAMESPACES.filter((namespace) => {
    const expiresAt = acked.spans[namespace]?.expiresAt;
    return expiresAt !== undefined && expiresAt <= now;
  });
  if (ended.length === 0) return sync;
  const reason = `its ${ended.join(' and ')} labels have run out, and nothing newer is known`;
  return { state: 'stale', reason };
}

/** All labels of the node, as it decides by them. */
export function labelsOfNode(record: NodeRecord): Labels {
  return nodeLabels({ own: record.own, imported: record.imported, sets: record.acked.sets });
}
