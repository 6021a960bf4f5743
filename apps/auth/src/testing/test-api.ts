import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import {
  DiscoveryService,
  ExplainService,
  GuardService,
  NodeService,
  PEER_HEADER,
  RoleService,
  ServerInfoService,
  StatusService,
  rpcOptions,
} from '@tagplane/protocol';
import type { ReadinessCheck, Registry } from '@tagplane/runtime';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { authorise } from '../authorise.ts';
import { createControlMetrics } from '../control/metrics.ts';
import { SessionRegistry } from '../control/registry.ts';
import { createDiscovery } from '../discovery/create-discovery.ts';
import type { Discovery } from '../discovery/create-discovery.ts';
import { DEFAULT_THRESHOLDS } from '../guard/config.ts';
import { Guard } from '../guard/guard.ts';
import type { Thresholds } from '../guard/window.ts';
import { createMetrics } from '../metrics.ts';
import { NodeHub } from '../node-watch/node-hub.ts';
import { createRoles } from '../roles/create-roles.ts';
import type { RoleRegistry } from '../roles/create-roles.ts';
import { AssignedIndex } from '../reconcile/assigned-index.ts';
import { AssignedWrites } from '../reconcile/assigned-writes.ts';
import { followServerInfos } from '../reconcile/server-info-feed.ts';
import { registerRoutes } from '../routes/index.ts';
import type { AssignedContext } from '../routes/route-context.ts';
import { readableNode } from '../routes/readable.ts';
import { translateStoreError } from '../store-errors.ts';
import { openStores } from '../stores/open-stores.ts';
import type { Stores } from '../stores/open-stores.ts';
import { RecordingAudit } from './recording-audit.ts';

/** Clients of a caller that says it is this peer (`role/name`). */
export interface TestClients {
  readonly serverInfos: Client<typeof ServerInfoService>;
  readonly nodes: Client<typeof NodeService>;
  readonly roles: Client<typeof RoleService>;
  readonly status: Client<typeof StatusService>;
  readonly guard: Client<typeof GuardService>;
  readonly explain: Client<typeof ExplainService>;
  readonly discovery: Client<typeof DiscoveryService>;
}

/** The API in memory, over a store in memory, without agents. */
export interface TestApi extends AsyncDisposable {
  readonly stores: Stores;
  readonly registry: Registry;
  readonly audit: RecordingAudit;
  readonly nodeHub: NodeHub;
  readonly roles: RoleRegistry;
  readonly assigned: AssignedContext['assigned'];
  readonly discovery: Discovery;
  /** What the process says of itself; empty: all is well. */
  readonly checks: ReadinessCheck[];
  /** As when the process begins to stop. */
  readonly closing: AbortController;
  /** Undefined: a caller that does not say who it is. */
  as(peer: string | undefined): TestClients;
}

export interface TestApiOptions {
  /** Puts something between the routes and the store of each kind. */
  readonly wrap?: (store: Store) => Store;
  readonly maxWatchers?: number;
  readonly maxPending?: number;
  /** What differs from the guard without configuration. */
  readonly thresholds?: Partial<Thresholds>;
  /** The guard's clock; Unix milliseconds. */
  readonly now?: () => number;
}

export function startTestApi(options: TestApiOptions = {}): TestApi {
  const { wrap = (store: Store): Store => store, thresholds, now, ...limits } = options;
  const log = silentLogger();
  const registry = createRegistry('auth');
  const metrics = createMetrics(registry);
  const audit = new RecordingAudit();
  const opened = openStores({ type: 'embedded', path: ':memory:' }, { log, metrics });
  const stores = {
    serverInfos: wrap(opened.serverInfos),
    nodes: wrap(opened.nodes),
    security: wrap(opened.security),
    audit: wrap(opened.audit),
    roles: wrap(opened.roles),
    discovery: wrap(opened.discovery),
  };
  const read = (entry: Parameters<typeof readableNode>[0]) =>
    readableNode(entry, { metrics, log }, Date.now());
  const nodeHub = new NodeHub({ store: stores.nodes, read, metrics, log, ...limits });
  const guard = new Guard({
    store: stores.security,
    thresholds: { ...DEFAULT_THRESHOLDS, ...thresholds },
    audit,
    registry,
    ...(now && { now }),
  });
  const discovery = createDiscovery({ stores, audit, registry, log });
  const stop = new AbortController();
  const { assigned, following: followingAssigned } = followAssigned(
    stores.serverInfos,
    registry,
    stop.signal,
  );
  const roles = createRoles({ store: stores.roles, log, registry });
  const following = Promise.all([
    nodeHub.run(stop.signal),
    guard.run(stop.signal),
    roles.run(stop.signal),
    followingAssigned,
  ]);
  const checks: ReadinessCheck[] = [];
  const closing = new AbortController();
  const status = {
    authId: 'auth-test',
    connectedAgents: () => 7,
    readiness: () => checks,
    notices: () => [...guard.problems(), ...discovery.discoveryWatch.problems()],
  };
  const control = {
    connect: () => {
      throw new Error('no agents here');
    },
  };
  const as = (peer: string | undefined): TestClients => {
    const transport = createRouterTransport(
      (router) => {
        registerRoutes(
          router,
          { stores, metrics, audit, log, status, nodeHub, control, guard, roles, assigned, ...discovery },
          closing.signal,
        );
      },
      {
        router: rpcOptions({ log, authorise, translate: translateStoreError, onCall: metrics.onCall }),
        transport: {
          interceptors: [
            (next) => (request) => {
              if (peer !== undefined) request.header.set(PEER_HEADER, peer);
              return next(request);
            },
          ],
        },
      },
    );
    return {
      serverInfos: createClient(ServerInfoService, transport),
      nodes: createClient(NodeService, transport),
      roles: createClient(RoleService, transport),
      status: createClient(StatusService, transport),
      guard: createClient(GuardService, transport),
      explain: createClient(ExplainService, transport),
      discovery: createClient(DiscoveryService, transport),
    };
  };
  return {
    stores,
    registry,
    audit,
    nodeHub,
    roles,
    assigned,
    discovery,
    checks,
    closing,
    as,
    async [Symbol.asyncDispose]() {
      stop.abort();
      closing.abort();
      await following;
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** The ServerInfos of operators, followed as the control plane does, for no agents. */
function followAssigned(
  store: Store,
  registry: Registry,
  signal: AbortSignal,
): { readonly assigned: AssignedContext['assigned']; readonly following: Promise<void> } {
  const index = new AssignedIndex({ store, log: silentLogger() });
  const nothing = (): undefined => undefined;
  const following = followServerInfos(
    {
      store,
      assigned: index,
      registry: new SessionRegistry(),
      metrics: createControlMetrics(registry),
      now: () => Date.now(),
      reconcile: nothing,
      reconsider: nothing,
      selectable: nothing,
      onReset: nothing,
    },
    signal,
  );
  return { assigned: { index, writes: new AssignedWrites(index, () => Date.now()) }, following };
}
