import { performance } from 'node:perf_hooks';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import type { StatusService } from '@tagplane/protocol';
import { ASSIGNED_PREFIX, DISCOVERED_PREFIX } from '@tagplane/serverinfo';
import type { ReadinessCheck } from '@tagplane/runtime';
import { VERSION } from '@tagplane/runtime';
import type { RouteContext } from './route-context.ts';

type GetStatus = ServiceImpl<typeof StatusService>['getStatus'];

export interface StatusSources {
  readonly authId: string;
  readonly connectedAgents: () => number;
  readonly readiness: () => readonly ReadinessCheck[];
  /** What waits for an operator, a line each. */
  readonly notices: () => readonly string[];
}

export function getStatus({ stores }: RouteContext, sources: StatusSources): GetStatus {
  return async ({ withCounts }, { signal }) => {
    const { serverInfos, nodes } = stores;
    const [storeEpoch, assignedCount, discoveredCount, nodeCount] = await Promise.all([
      serverInfos.epoch({ signal }),
      withCounts ? serverInfos.count(ASSIGNED_PREFIX, { signal }) : 0,
      withCounts ? serverInfos.count(DISCOVERED_PREFIX, { signal }) : 0,
      withCounts ? nodes.count('', { signal }) : 0,
    ]);
    return {
      authId: sources.authId,
      version: VERSION,
      storeType: serverInfos.type,
      storeEpoch,
      uptime: durationFromMs(Math.round(performance.now())),
      connectedAgents: sources.connectedAgents(),
      serverInfos: BigInt(assignedCount + discoveredCount),
      nodes: BigInt(nodeCount),
      problems: [
        ...sources
          .readiness()
          .filter(({ ready }) => !ready)
          .map(({ name, reason }) => (reason === undefined ? name : `${name}: ${reason}`)),
        ...sources.notices(),
      ],
    };
  };
}
