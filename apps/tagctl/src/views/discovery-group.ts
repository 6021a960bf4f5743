import type { DiscoveryGroup, DiscoveryReplica } from '@tagplane/protocol';
import { visible } from '../format/escape.ts';
import { timeView } from './node.ts';
import type { TableOf } from './table-of.ts';

/** A group of discoveries as JSON and YAML show it; others script against these names. */
export interface GroupView {
  readonly name: string;
  /** The replica that works; null: nobody does. */
  readonly leader: string | null;
  /** The fencing token of the leader's lease; a string, since it may be any 64-bit number. Null: no lease. */
  readonly token: string | null;
  readonly replicas: readonly ReplicaView[];
}

export interface ReplicaView {
  readonly replica: string;
  /** `discovery/NAME`. */
  readonly identity: string;
  readonly leader: boolean;
  /** RFC 3339, UTC. */
  readonly seen_at: string | null;
  readonly version: string;
}

export function groupView(group: DiscoveryGroup): GroupView {
  return {
    name: group.name,
    leader: group.replicas.find(({ leader }) => leader)?.replica ?? null,
    token: group.token === 0n ? null : group.token.toString(),
    replicas: group.replicas.map(replicaView),
  };
}

function replicaView(replica: DiscoveryReplica): ReplicaView {
  return {
    replica: replica.replica,
    identity: replica.identity,
    leader: replica.leader,
    seen_at: timeView(replica.seenAt),
    version: replica.version,
  };
}

export const groupTable: TableOf<GroupView> = {
  plural: 'discovery groups',
  columns: [
    { title: 'GROUP', priority: 0, shrinkTo: 12 },
    { title: 'LEADER', priority: 1, shrinkTo: 16 },
    { title: 'STANDBYS', priority: 2, shrinkTo: 16 },
    { title: 'VERSIONS', priority: 3, shrinkTo: 8 },
  ],
  row: (group) => [
    { text: visible(group.name) },
    group.leader === null ? { text: 'nobody', colour: 'red' } : { text: visible(group.leader) },
    { text: visible(standbysText(group)) },
    { text: visible(versionsText(group)) },
  ],
  details: (group) => [
    ['group', { text: visible(group.name) }],
    ['leader', { text: visible(group.leader ?? 'nobody') }],
    ['standbys', { text: visible(standbysText(group)) }],
    ['versions', { text: visible(versionsText(group)) }],
  ],
};

function standbysText({ replicas }: GroupView): string {
  const standbys = replicas.filter(({ leader }) => !leader).map(({ replica }) => replica);
  return standbys.join(', ') || 'none';
}

function versionsText({ replicas }: GroupView): string {
  return [...new Set(replicas.map(({ version }) => version))].join(', ') || '-';
}
