import type { ServiceImpl } from '@connectrpc/connect';
import type { DiscoveryService } from '@tagplane/protocol';
import { holdLease } from './hold-lease.ts';
import type { LeaseRoutes } from './hold-lease.ts';
import { listGroups } from './list-groups.ts';
import { releaseLease } from './release-lease.ts';

export function discoveryRoutes(routes: LeaseRoutes): Partial<ServiceImpl<typeof DiscoveryService>> {
  return {
    holdLease: holdLease(routes),
    releaseLease: releaseLease(routes),
    listGroups: listGroups(routes),
  };
}
