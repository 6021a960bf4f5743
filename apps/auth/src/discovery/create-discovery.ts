import type { Logger, Registry } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';
import type { Stores } from '../stores/open-stores.ts';
import { AgentInstances } from './agent-instances.ts';
import { ClaimRate } from './claim-rate.ts';
import { DiscoveryWatch } from './discovery-watch.ts';
import { EnrolmentRecords } from './enrolment-records.ts';
import { Fences } from './fence.ts';
import { Leases } from './leases.ts';
import { Replicas } from './replicas.ts';
import { ScopeReports } from './scope-reports.ts';

/** What the auth service knows of discoveries. */
export interface Discovery {
  readonly leases: Leases;
  readonly fences: Fences;
  readonly replicas: Replicas;
  readonly scopes: ScopeReports;
  readonly enrolments: EnrolmentRecords;
  readonly agents: AgentInstances;
  readonly claimRate: ClaimRate;
  readonly discoveryWatch: DiscoveryWatch;
}

export interface DiscoveryOptions {
  readonly stores: Pick<Stores, 'serverInfos' | 'discovery' | 'nodes' | 'security'>;
  readonly audit: Audit;
  readonly registry: Registry;
  readonly log: Logger;
}

export function createDiscovery({ stores, audit, registry, log }: DiscoveryOptions): Discovery {
  const { serverInfos, discovery: store, nodes, security } = stores;
  const leases = new Leases({ store: serverInfos });
  const replicas = new Replicas({ store });
  return {
    leases,
    replicas,
    fences: new Fences({ leases, audit, registry }),
    scopes: new ScopeReports({ store }),
    enrolments: new EnrolmentRecords({ store }),
    agents: new AgentInstances({ nodes, security }),
    claimRate: new ClaimRate(),
    discoveryWatch: new DiscoveryWatch({ leases, replicas, store, registry, log }),
  };
}
