import type { ServiceImpl } from '@connectrpc/connect';
import type { DiscoveryService } from '@tagplane/protocol';
import { claimEnrolments } from './claim-enrolments.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { holdLease } from './hold-lease.ts';
import { listAgentInstances } from './list-agent-instances.ts';
import { listGroups } from './list-groups.ts';
import { listInstances } from './list-instances.ts';
import { listScopes } from './list-scopes.ts';
import { recordEnrolments } from './record-enrolments.ts';
import { releaseLease } from './release-lease.ts';
import { reportScopes } from './report-scopes.ts';

export function discoveryRoutes(routes: DiscoveryContext): ServiceImpl<typeof DiscoveryService> {
  return {
    holdLease: holdLease(routes),
    releaseLease: releaseLease(routes),
    reportScopes: reportScopes(routes),
    listAgentInstances: listAgentInstances(routes),
    claimEnrolments: claimEnrolments(routes),
    recordEnrolments: recordEnrolments(routes),
    listGroups: listGroups(routes),
    listScopes: listScopes(routes),
    listInstances: listInstances(routes),
  };
}
