import { createApiServer } from '@tagplane/protocol';
import type { ApiServer, PeerConnection } from '@tagplane/protocol';
import type { Address, Logger, ReadinessCheck, Registry } from '@tagplane/runtime';
import { SECOND, createRegistry, formatAddress, runTasks, startDiagnostics } from '@tagplane/runtime';
import { createAuditLog } from './audit/audit-log.ts';
import type { AuditLog } from './audit/audit-log.ts';
import { createAuthorise } from './authorise.ts';
import { caCopy } from './ca/ca-copy.ts';
import { openClusterAuthority } from './ca/cluster-authority.ts';
import type { ClusterAuthority } from './ca/cluster-authority.ts';
import { followAuthority } from './ca/follow-authority.ts';
import { readSealingKey } from './ca/sealing-key.ts';
import type { AuthConfig } from './config.ts';
import { createControlPlane } from './control/control-plane.ts';
import type { ControlPlane } from './control/control-plane.ts';
import { Statements } from './control/statements.ts';
import { createDiscovery } from './discovery/create-discovery.ts';
import type { Discovery } from './discovery/create-discovery.ts';
import { Guard } from './guard/guard.ts';
import { createJoinMethods } from './join/methods.ts';
import { createJoinMetrics } from './join/metrics.ts';
import { createLocks } from './locks/create-locks.ts';
import type { LockRegistry } from './locks/create-locks.ts';
import { enforceLocks } from './locks/enforce-locks.ts';
import { createMetrics } from './metrics.ts';
import type { AuthMetrics } from './metrics.ts';
import { NodeHub } from './node-watch/node-hub.ts';
import { processName } from './process-name.ts';
import { AssignedWrites } from './reconcile/assigned-writes.ts';
import { createRoles } from './roles/create-roles.ts';
import type { RoleRegistry } from './roles/create-roles.ts';
import type { IdentityRoutes } from './routes/identity-routes.ts';
import { rawMethods, registerBinaryRoutes, registerRoutes } from './routes/index.ts';
import { readableNode } from './routes/readable.ts';
import { watchConnections } from './security/connection-events.ts';
import { countConnections, serverSecurity } from './security/server-security.ts';
import { translateStoreError } from './store-errors.ts';
import { openStores } from './stores/open-stores.ts';
import type { Stores } from './stores/open-stores.ts';
import { createStoreMonitor } from './stores/store-monitor.ts';
import type { StoreMonitor } from './stores/store-monitor.ts';

export interface Auth extends AsyncDisposable {
  readonly address: Address;
  readonly diagnostics: Address;
  /** Works until the signal aborts, then ends streams and calls within the configured time. */
  run(signal: AbortSignal): Promise<void>;
}

/** What every part of one auth process shares. */
interface Parts {
  readonly config: AuthConfig;
  readonly log: Logger;
  readonly authId: string;
  readonly registry: Registry;
  readonly metrics: AuthMetrics;
  readonly stores: Stores;
  readonly monitor: StoreMonitor;
  readonly nodeHub: NodeHub;
  readonly audit: AuditLog;
  readonly locks: LockRegistry;
  readonly roles: RoleRegistry;
  readonly guard: Guard;
  readonly discovery: Discovery;
  /** Of the API's server, once there is one. */
  readonly connections: () => ReadonlySet<PeerConnection>;
}

/** How far the process is. */
interface Progress {
  stopping: boolean;
  authority?: ClusterAuthority | undefined;
  control?: ControlPlane;
  api?: ApiServer;
}

/**
 * Builds the whole service, in order; it listens when this resolves. With mutual TLS that is when the
 * store has answered, since the authority is in it; diagnostics are served before.
 *
 * @throws ConfigError for a key, file or address that is no good
 */
export async function composeAuth(config: AuthConfig, log: Logger, signal: AbortSignal): Promise<Auth> {
  await using build = new AsyncDisposableStack();
  const state: Progress = { stopping: false };
  const parts = openParts(config, log, build, () => state.api?.connections ?? NO_CONNECTIONS);
  const readiness = (): ReadinessCheck[] => [
    check('running', state.stopping ? 'the process is stopping' : undefined),
    parts.monitor.readiness(),
    check('control', state.stopping ? undefined : controlProblem(state.control)),
    check('locks', parts.locks.loaded ? undefined : 'not loaded yet'),
    check('roles', parts.roles.index.loaded ? undefined : 'not loaded yet'),
    check('authority', state.authority?.problem),
    parts.nodeHub.readiness(),
  ];
  const { registry } = parts;
  const diagnostics = build.use(
    await startDiagnostics({ listen: config.diagnostics, registry, readiness, log }),
  );
  const authority = await openAuthority(parts, signal);
  state.authority = authority;
  const control = createControl(parts, authority);
  state.control = control;
  const api = await serveApi(parts, { authority, control, readiness });
  state.api = api;
  build.defer(() => api.close({ graceMs: 0 }));
  if (authority !== undefined) build.defer(followAuthority(authority, api, control));
  build.use(enforceLocks(parts));
  const owned = build.move();
  return {
    address: api.address,
    diagnostics: diagnostics.address,
    async run(stop) {
      log.info({
        event: 'auth_started',
        auth_id: parts.authId,
        address: formatAddress(api.address),
        diagnostics: formatAddress(diagnostics.address),
        store: config.store.type,
        tls: config.tls.mode,
      });
      const background = new AbortController();
      const tasks = runTasks(background.signal, {
        store_monitor: (end) => parts.monitor.run(end),
        node_feed: (end) => parts.nodeHub.run(end),
        control: (end) => control.run(end),
        audit: (end) => parts.audit.run(end),
        locks: (end) => parts.locks.run(end),
        roles: (end) => parts.roles.run(end),
        guard: (end) => parts.guard.run(end),
        discovery_watch: (end) => parts.discovery.discoveryWatch.run(end),
        ...(authority && { authority: (end: AbortSignal) => authority.run(end) }),
      });
      await Promise.race([tasks, aborted(stop)]).finally(() => {
        state.stopping = true;
      });
      log.info({ event: 'auth_stopping', connected_agents: control.connectedAgents });
      const graceMs = config.drain_timeout;
      await Promise.all([control.drain(graceMs), api.close({ graceMs })]);
      await parts.audit.flush(AbortSignal.timeout(SECOND));
      background.abort(new Error('the process is stopping'));
      await tasks;
      log.info({ event: 'auth_stopped' });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const NO_CONNECTIONS: ReadonlySet<PeerConnection> = new Set();

function openParts(
  config: AuthConfig,
  log: Logger,
  build: AsyncDisposableStack,
  connections: () => ReadonlySet<PeerConnection>,
): Parts {
  const registry = createRegistry('auth');
  const metrics = createMetrics(registry);
  const authId = config.name ?? processName();
  const stores = build.use(openStores(config.store, { log, metrics }));
  const { path: output, retention: retentionMs } = config.audit;
  const audit = createAuditLog({ store: stores.audit, authId, output, retentionMs, log, registry });
  const guard = new Guard({ store: stores.security, thresholds: config.guard, audit, registry });
  const discovery = createDiscovery({ stores, audit, registry, log });
  const locks = createLocks({ store: stores.security, audit, log, registry });
  const roles = createRoles({ store: stores.roles, log, registry });
  const read = (entry: Parameters<typeof readableNode>[0]) =>
    readableNode(entry, { metrics, log }, Date.now());
  const nodeHub = new NodeHub({ store: stores.nodes, read, metrics, log });
  const monitor = createStoreMonitor(stores, metrics, log);
  return {
    config,
    log,
    authId,
    registry,
    metrics,
    stores,
    monitor,
    nodeHub,
    audit,
    locks,
    roles,
    guard,
    discovery,
    connections,
  };
}

/** Undefined without TLS. */
async function openAuthority(parts: Parts, signal: AbortSignal): Promise<ClusterAuthority | undefined> {
  const { config, stores } = parts;
  if (config.tls.mode === 'insecure') return undefined;
  const { cluster, certificate_ttl: certificateTtlMs } = config;
  const sealingKey = await readSealingKey(config.ca);
  const copy = caCopy(config.ca.key_file, parts.log);
  return openClusterAuthority(
    { ...parts, store: stores.security, cluster, certificateTtlMs, sealingKey, copy },
    signal,
  );
}

function createControl(parts: Parts, authority: ClusterAuthority | undefined): ControlPlane {
  const { config, stores } = parts;
  return createControlPlane({
    ...stores,
    authId: parts.authId,
    registry: parts.registry,
    log: parts.log,
    audit: parts.audit,
    heartbeatMs: config.heartbeat_interval,
    idleTimeoutMs: config.idle_timeout,
    admissionRate: config.admission_rate,
    roles: parts.roles,
    ...(authority && {
      trustGeneration: () => authority.trust().generation,
      statements: new Statements({ cluster: config.cluster, signer: () => authority.signer() }),
    }),
  });
}

async function serveApi(
  parts: Parts,
  {
    authority,
    control,
    readiness,
  }: {
    readonly authority: ClusterAuthority | undefined;
    readonly control: ControlPlane;
    readonly readiness: () => ReadinessCheck[];
  },
): Promise<ApiServer> {
  const { config, log, audit, locks, metrics, registry, connections } = parts;
  const identity = authority && identityRoutes(parts, authority);
  const status = {
    authId: parts.authId,
    connectedAgents: () => control.connectedAgents,
    readiness,
    notices: () =>
      [
        ...parts.guard.problems(),
        ...parts.discovery.discoveryWatch.problems(),
        parts.roles.index.problem ?? [],
      ].flat(),
  };
  const index = control.assigned;
  const assigned = { index, writes: new AssignedWrites(index, () => Date.now()) };
  const onEvent = watchConnections(registry, audit, () => countConnections(connections()));
  return createApiServer({
    listen: config.listen,
    security: serverSecurity(config, authority, { locks, onEvent }),
    log,
    authorise: createAuthorise({ locks, audit }),
    translate: translateStoreError,
    onCall: metrics.onCall,
    routes: (router, closing) => {
      registerRoutes(router, { ...parts, ...parts.discovery, assigned, status, control, identity }, closing);
    },
    rawMethods: rawMethods({ control }),
    binaryRoutes: (router) => {
      registerBinaryRoutes(router, { ...parts, ...parts.discovery, assigned });
    },
  });
}

function identityRoutes(parts: Parts, authority: ClusterAuthority): IdentityRoutes {
  const { config, audit, locks, stores, registry } = parts;
  const store = stores.security;
  const metrics = createJoinMetrics(registry);
  const methods = createJoinMethods(config.join, { store, metrics, now: () => Date.now() });
  const join = { ...methods, metrics, maxExchanges: config.join.exchanges };
  return { authority, audit, locks, join, store };
}

function controlProblem(control: ControlPlane | undefined): string | undefined {
  return control === undefined
    ? 'the authority is in the store, which has not answered yet'
    : control.problem;
}

function check(name: string, problem: string | undefined): ReadinessCheck {
  return problem === undefined ? { name, ready: true } : { name, ready: false, reason: problem };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onAbort = (): void => {
      resolve();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
