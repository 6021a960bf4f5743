import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createApiServer } from '@tagplane/protocol';
import type { Address, Logger, ReadinessCheck } from '@tagplane/runtime';
import { createRegistry, runTasks, startDiagnostics } from '@tagplane/runtime';
import { authorise } from './authorise.ts';
import type { AuthConfig } from './config.ts';
import { createMetrics } from './metrics.ts';
import { registerRoutes } from './routes/index.ts';
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
  let stopping = false;
  const readiness = (): ReadinessCheck[] => [
    { name: 'running', ready: !stopping, ...(stopping ? { reason: 'the process is stopping' } : {}) },
    monitor.readiness(),
  ];
  const diagnostics = build.use(
    await startDiagnostics({ listen: config.diagnostics, registry, readiness, log }),
  );
  const status = { authId, connectedAgents: () => 0, readiness };
  const server = await createApiServer({
    listen: config.listen,
    log,
    authorise,
    translate: translateStoreError,
    onCall: metrics.onCall,
    routes: (router, closing) => {
      registerRoutes(router, { stores, metrics, log, status }, closing);
    },
  });
  build.defer(() => server.close({ graceMs: 0 }));
  const owned = build.move();
  return {
    address: server.address,
    diagnostics: diagnostics.address,
    async run(signal) {
      log.info({ event: 'auth_started', auth_id: authId, address: server.address, store: config.store.type });
      const background = new AbortController();
      const tasks = runTasks(background.signal, {
        store_monitor: (stop) => monitor.run(stop),
      });
      await Promise.race([tasks, aborted(signal)]);
      stopping = true;
      log.info({ event: 'auth_stopping' });
      await server.close({ graceMs: config.drain_timeout });
      background.abort(new Error('the process is stopping'));
      await tasks;
      log.info({ event: 'auth_stopped' });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
