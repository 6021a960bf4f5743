import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createApiServer } from '@tagplane/protocol';
import type { Address, Logger, ReadinessCheck } from '@tagplane/runtime';
import { createRegistry, formatAddress, runTasks, startDiagnostics } from '@tagplane/runtime';
import { authorise } from './authorise.ts';
import type { AuthConfig } from './config.ts';
import { createControlPlane } from './control/control-plane.ts';
import { createMetrics } from './metrics.ts';
import { NodeHub } from './node-watch/node-hub.ts';
import { rawMethods, registerBinaryRoutes, registerRoutes } from './routes/index.ts';
import { readableNode } from './routes/readable.ts';
import { translateStoreError } from './store-errors.ts';
import { openStores } from './stores/open-stores.ts';
import { createStoreMonitor } from './stores/store-monitor.ts';

export interface Auth extends AsyncDisposable {
  readonly address: Address;
  readonly diagnostics: Address;
  /** Works until the signal aborts, then ends streams and calls within the configured time. */
  run(signal: AbortSignal): Promise<void>;
}

/** Builds the whole service, in order; it listens when this resolves. */
export async function composeAuth(config: AuthConfig, log: Logger): Promise<Auth> {
  await using build = new AsyncDisposableStack();
  const registry = createRegistry('auth');
  const metrics = createMetrics(registry);
  const authId = config.name ?? processName();
  const stores = build.use(openStores(config.store, { log, metrics }));
  const monitor = createStoreMonitor(stores, metrics, log);
  const read = (entry: Parameters<typeof readableNode>[0]) =>
    readableNode(entry, { metrics, log }, Date.now());
  const nodeHub = new NodeHub({ store: stores.nodes, read, metrics, log });
  const control = createControlPlane({
    ...stores,
    authId,
    registry,
    log,
    heartbeatMs: config.heartbeat_interval,
    idleTimeoutMs: config.idle_timeout,
    admissionRate: config.admission_rate,
  });
  let stopping = false;
  const readiness = (): ReadinessCheck[] => [
    check('running', stopping ? 'the process is stopping' : undefined),
    monitor.readiness(),
    check('control', stopping ? undefined : control.problem),
    nodeHub.readiness(),
  ];
  const diagnostics = build.use(
    await startDiagnostics({ listen: config.diagnostics, registry, readiness, log }),
  );
  const status = { authId, connectedAgents: () => control.connectedAgents, readiness };
  const server = await createApiServer({
    listen: config.listen,
    log,
    security: { mode: 'insecure' },
    authorise,
    translate: translateStoreError,
    onCall: metrics.onCall,
    routes: (router, closing) => {
      registerRoutes(router, { stores, metrics, log, status, nodeHub, control }, closing);
    },
    rawMethods: rawMethods({ control }),
    binaryRoutes: (router) => {
      registerBinaryRoutes(router, { stores, metrics, log });
    },
  });
  build.defer(() => server.close({ graceMs: 0 }));
  const owned = build.move();
  return {
    address: server.address,
    diagnostics: diagnostics.address,
    async run(signal) {
      log.info({
        event: 'auth_started',
        auth_id: authId,
        address: formatAddress(server.address),
        diagnostics: formatAddress(diagnostics.address),
        store: config.store.type,
      });
      const background = new AbortController();
      const tasks = runTasks(background.signal, {
        store_monitor: (stop) => monitor.run(stop),
        node_feed: (stop) => nodeHub.run(stop),
        control: (stop) => control.run(stop),
      });
      await Promise.race([tasks, aborted(signal)]).finally(() => {
        stopping = true;
      });
      log.info({ event: 'auth_stopping', connected_agents: control.connectedAgents });
      const graceMs = config.drain_timeout;
      await Promise.all([control.drain(graceMs), server.close({ graceMs })]);
      background.abort(new Error('the process is stopping'));
      await tasks;
      log.info({ event: 'auth_stopped' });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function check(name: string, problem: string | undefined): ReadinessCheck {
  return problem === undefined ? { name, ready: true } : { name, ready: false, reason: problem };
}

/** The host's name, and a suffix that tells one start of the process from the next. */
function processName(): string {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return `${host.slice(0, 50) || 'auth'}-${randomBytes(3).toString('hex')}`;
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
