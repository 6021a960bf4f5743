import type { InstanceKey } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import { packLabels } from '@tagplane/serverinfo';
import type { Put } from '@tagplane/store';
import { NO_SPANS } from '@tagplane/session';
import { encodeNodeRecord } from '../nodes/node-codec.ts';
import type { PackedNodeRecord } from '../nodes/node-codec.ts';

export interface NodeParts extends Partial<Omit<PackedNodeRecord, 'own' | 'imported' | 'serverId'>> {
  readonly own?: Labels;
  readonly imported?: Labels;
}

/** The record of a node as a session would write it: connected, and without labels of the auth service. */
export function nodePut(serverId: string, instance: InstanceKey | undefined, parts: NodeParts = {}): Put {
  const record: PackedNodeRecord = {
    serverId,
    hostname: `${serverId}.example`,
    agentVersion: '1',
    connected: true,
    authId: 'auth-1',
    sessionId: 'session-1',
    instance,
    acked: { revision: '', spans: NO_SPANS, sets: { 'aws/': undefined, 'dynamic/': undefined } },
    wantedRevision: '',
    sync: { state: 'synced', reason: '' },
    lastSeen: Date.now(),
    rolesRevision: '',
    ...parts,
    own: packLabels(parts.own ?? new Map()),
    imported: packLabels(parts.imported ?? new Map()),
  };
  return { key: serverId, value: encodeNodeRecord(record), ttlMs: 900_000 };
}
