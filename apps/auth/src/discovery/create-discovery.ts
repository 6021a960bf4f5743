import type { Registry } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';
import type { Stores } from '../stores/open-stores.ts';
import { Fences } from './fence.ts';
import { Leases } from './leases.ts';
import { Replicas } from './replicas.ts';

/** What the auth service knows of discoveries. */
export interface Discovery {
  readonly leases: Leases;
  readonly fences: Fences;
  readonly replicas: Replicas;
}

export function createDiscovery({
  stores,
  audit,
  registry,
}: {
  readonly stores: Pick<Stores, 'serverInfos' | 'discovery'>;
  readonly audit: Audit;
  readonly registry: Registry;
}): Discovery {
  const leases = new Leases({ store: stores.serverInfos });
  return {
    leases,
    fences: new Fences({ leases, audit, registry }),
    replicas: new Replicas({ store: stores.discovery }),
  };
}
