import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import type { DiscoveryService } from '@tagplane/protocol';
import type { Lease } from '../discovery/lease.ts';
import type { LeaseRoutes } from './hold-lease.ts';

type ListGroups = ServiceImpl<typeof DiscoveryService>['listGroups'];

/** Groups with a leader or a replica that was heard of in the last minute. */
export function listGroups({ leases, replicas }: LeaseRoutes): ListGroups {
  return async (_request, { signal }) => {
    const [held, seen] = await Promise.all([leases.list(signal), replicas.list(signal)]);
    const byGroup = new Map(held.map((lease) => [lease.group, lease]));
    const seenByGroup = Map.groupBy(seen, ({ group }) => group);
    const names = [...new Set([...byGroup.keys(), ...seenByGroup.keys()])].sort();
    return {
      groups: names.map((name) => {
        const lease = byGroup.get(name);
        return {
          name,
          token: BigInt(lease?.token ?? 0),
          replicas: (seenByGroup.get(name) ?? []).map(({ seenAt, ...each }) => ({
            replica: each.replica,
            identity: each.identity,
            version: each.version,
            leader: isHolder(lease, each),
            seenAt: timestampFromMs(seenAt),
          })),
        };
      }),
    };
  };
}

function isHolder(
  lease: Lease | undefined,
  { replica, identity }: Pick<Lease, 'replica' | 'identity'>,
): boolean {
  return lease?.replica === replica && lease.identity === identity;
}
