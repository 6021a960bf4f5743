import type { ConnectRouter } from '@connectrpc/connect';
import {
  InventoryService,
  NodeService,
  ServerInfoService,
  StatusService,
  healthRoutes,
  reflectionRoutes,
} from '@tagplane/protocol';
import { deleteServerInfos } from './delete-server-infos.ts';
import { getServerInfo } from './get-server-info.ts';
import { getStatus } from './get-status.ts';
import type { StatusSources } from './get-status.ts';
import { listServerInfos } from './list-server-infos.ts';
import type { RouteContext } from './route-context.ts';
import { upsertServerInfos } from './upsert-server-infos.ts';

export interface Routes extends RouteContext {
  readonly status: StatusSources;
}

const SERVICES = [ServerInfoService, InventoryService, NodeService, StatusService];

/** All that the API serves, but the control stream. */
export function registerRoutes(router: ConnectRouter, routes: Routes, closing: AbortSignal): void {
  router.service(ServerInfoService, {
    upsertServerInfos: upsertServerInfos(routes),
    getServerInfo: getServerInfo(routes),
    listServerInfos: listServerInfos(routes),
    deleteServerInfos: deleteServerInfos(routes),
  });
  router.service(StatusService, { getStatus: getStatus(routes, routes.status) });
  const ready = (): boolean => routes.status.readiness().every((check) => check.ready);
  healthRoutes(router, { ready, services: SERVICES, closing });
  reflectionRoutes(router, SERVICES);
}
