import type { Logger, ReadinessCheck } from '@tagplane/runtime';
import { MINUTE, SECOND, deadline, sleep } from '@tagplane/runtime';
import { ASSIGNED_PREFIX, DISCOVERED_PREFIX } from '@tagplane/serverinfo';
import type { AuthMetrics } from '../metrics.ts';
import type { Stores } from './open-stores.ts';

/** Often enough that a load balancer's probe sees an outage, rare enough to cost nothing. */
const PING_INTERVAL_MS = 2 * SECOND;
const PING_DEADLINE_MS = 3 * SECOND;
/** Counting walks the index of an embedded store. */
const COUNT_INTERVAL_MS = MINUTE;

/** Knows whether the store answers. */
export interface StoreMonitor {
  /** Pings until the signal aborts; a failure is only noted. */
  run(signal: AbortSignal): Promise<void>;
  readiness(): ReadinessCheck;
}

export function createStoreMonitor(
  stores: Pick<Stores, 'serverInfos' | 'nodes'>,
  metrics: AuthMetrics,
  log: Logger,
): StoreMonitor {
  let state: { readonly reachable: boolean; readonly reason: string } = {
    reachable: false,
    reason: 'not asked yet',
  };
  const ping = async (signal: AbortSignal): Promise<void> => {
    using limit = deadline(signal, PING_DEADLINE_MS);
    try {
      await stores.serverInfos.ping({ signal: limit.signal });
      if (!state.reachable) log.info({ event: 'store_reachable', store: stores.serverInfos.type });
      state = { reachable: true, reason: '' };
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (state.reachable) log.warn({ event: 'store_unreachable', store: stores.serverInfos.type, reason });
      state = { reachable: false, reason };
    }
    metrics.storeReachable.set(state.reachable ? 1 : 0);
  };
  return {
    async run(signal) {
      let countAt = 0;
      for (;;) {
        await ping(signal);
        if (state.reachable && Date.now() >= countAt) {
          countAt = Date.now() + COUNT_INTERVAL_MS;
          await count(stores, metrics, signal).catch(() => undefined);
        }
        await sleep(PING_INTERVAL_MS, signal);
      }
    },
    readiness() {
      return { name: 'store', ready: state.reachable, ...(state.reachable ? {} : { reason: state.reason }) };
    },
  };
}

async function count(
  stores: Pick<Stores, 'serverInfos' | 'nodes'>,
  metrics: AuthMetrics,
  signal: AbortSignal,
): Promise<void> {
  const { serverInfos, nodes } = stores;
  metrics.items.set({ kind: 'assigned' }, await serverInfos.count(ASSIGNED_PREFIX, { signal }));
  metrics.items.set({ kind: 'discovered' }, await serverInfos.count(DISCOVERED_PREFIX, { signal }));
  metrics.items.set({ kind: 'node' }, await nodes.count('', { signal }));
}
