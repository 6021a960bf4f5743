import type { ConnectRouter } from '@connectrpc/connect';
import {
  DiscoveryService,
  ExplainService,
  GuardService,
  InventoryService,
  NodeService,
  RoleService,
  ServerInfoService,
  StatusService,
  healthRoutes,
  reflectionRoutes,
  upsertBatchRoute,
  upsertByBatch,
} from '@tagplane/protocol';
import type { RawMethod } from '@tagplane/protocol';
import type { ControlPlane } from '../control/control-plane.ts';
import type { Discovery } from '../discovery/create-discovery.ts';
import type { Guard } from '../guard/guard.ts';
import type { NodeHub } from '../node-watch/node-hub.ts';
import { carryOut } from './carry-out.ts';
import { createControlStreamRoute } from './control-stream.ts';
import { deleteServerInfos } from './delete-server-infos.ts';
import { discoveryRoutes } from './discovery-routes.ts';
import { explainNode } from './explain-node.ts';
import { getNode } from './get-node.ts';
import { getServerInfo } from './get-server-info.ts';
import { guardRoutes } from './guard-routes.ts';
import type { IdentityRoutes } from './identity-routes.ts';
import { IDENTITY_SERVICES, registerIdentityRoutes } from './identity-routes.ts';
import { getStatus } from './get-status.ts';
import type { StatusSources } from './get-status.ts';
import { listNodes } from './list-nodes.ts';
import { listServerInfos } from './list-server-infos.ts';
import { plainControlStream } from './plain-control-stream.ts';
import { previewServerInfos } from './preview-server-infos.ts';
import type { AssignedContext } from './route-context.ts';
import { registerRoleRoutes } from './role-routes.ts';
import type { RoleRoutes } from './put-role.ts';
import { upsertServerInfos } from './upsert-server-infos.ts';
import { watchNodes } from './watch-nodes.ts';

export interface Routes extends AssignedContext, Omit<Discovery, 'discoveryWatch'> {
  readonly status: StatusSources;
  readonly nodeHub: NodeHub;
  readonly guard: Guard;
  readonly control: Pick<ControlPlane, 'connect'>;
  readonly roles: RoleRoutes['roles'];
  /** Undefined: without TLS there is nobody to certify. */
  readonly identity?: IdentityRoutes | undefined;
}

const SERVICES = [
  ServerInfoService,
  InventoryService,
  NodeService,
  RoleService,
  StatusService,
  GuardService,
  ExplainService,
  DiscoveryService,
];

/** All that the API serves. */
export function registerRoutes(router: ConnectRouter, routes: Routes, closing: AbortSignal): void {
  router.service(ServerInfoService, {
    upsertServerInfos: upsertByBatch(upsertServerInfos(routes)),
    getServerInfo: getServerInfo(routes),
    listServerInfos: listServerInfos(routes),
    deleteServerInfos: deleteServerInfos(routes),
  });
  router.service(InventoryService, { controlStream: createControlStreamRoute(routes.control) });
  router.service(NodeService, {
    listNodes: listNodes(routes),
    getNode: getNode(routes),
    watchNodes: watchNodes(routes.nodeHub, closing),
  });
  router.service(GuardService, guardRoutes({ ...routes, carryOut: carryOut(routes) }));
  registerRoleRoutes(router, routes);
  router.service(ExplainService, {
    explainNode: explainNode(routes),
    previewServerInfos: previewServerInfos(routes),
  });
  const tokens = routes.identity?.join.tokens;
  router.service(DiscoveryService, discoveryRoutes({ ...routes, tokens }));
  router.service(StatusService, { getStatus: getStatus(routes, routes.status) });
  if (routes.identity !== undefined) registerIdentityRoutes(router, routes.identity, closing);
  const services = routes.identity === undefined ? SERVICES : [...SERVICES, ...IDENTITY_SERVICES];
  const ready = (): boolean => routes.status.readiness().every((check) => check.ready);
  healthRoutes(router, { ready, services, closing });
  reflectionRoutes(router, services);
}

/** Methods that are served from the stream itself, for agents of our own. */
export function rawMethods(routes: Pick<Routes, 'control'>): RawMethod[] {
  return [plainControlStream(routes.control)];
}

/** Methods that read binary requests in a way of their own. */
export function registerBinaryRoutes(router: ConnectRouter, routes: AssignedContext): void {
  upsertBatchRoute(router, upsertServerInfos(routes));
}
