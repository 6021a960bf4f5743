import type { ServiceImpl } from '@connectrpc/connect';
import { peerOf } from '@tagplane/protocol';
import type { DiscoveryService } from '@tagplane/protocol';
import { fencedWriter } from '../discovery/fence.ts';
import type { LeaseRoutes } from './hold-lease.ts';

type ReleaseLease = ServiceImpl<typeof DiscoveryService>['releaseLease'];

/** Frees the lease at once. One that is not the caller's any more is left alone. */
export function releaseLease({ leases }: Pick<LeaseRoutes, 'leases'>): ReleaseLease {
  return async ({ fence }, context) => {
    const writer = fencedWriter(peerOf(context), fence);
    await leases.release(writer.fence, context.signal);
    return {};
  };
}
