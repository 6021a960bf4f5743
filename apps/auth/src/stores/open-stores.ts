import type { Logger } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import type { StoreConfig } from '../config.ts';
import type { AuthMetrics } from '../metrics.ts';
import { measuredStore } from './measured-store.ts';

/** One store for each kind of resource. */
export interface Stores {
  readonly serverInfos: Store;
  readonly nodes: Store;
}

/** Opens the stores; a Redis that cannot be reached is found out later, by the store monitor. */
export function openStores(
  config: StoreConfig,
  { log, metrics }: { readonly log: Logger; readonly metrics: AuthMetrics },
): Stores & AsyncDisposable {
  const open = (kind: string): Store & AsyncDisposable => {
    if (config.type === 'redis') throw new Error('store.type: redis is not there yet');
    const onError = (error: Error): void => {
      log.error({ event: 'store_upkeep_failed', kind, err: error });
    };
    return openEmbeddedStore({ path: config.path, kind, onError });
  };
  const serverInfos = open('server-info');
  const nodes = open('node');
  return {
    serverInfos: measuredStore(serverInfos, 'server-info', metrics),
    nodes: measuredStore(nodes, 'node', metrics),
    async [Symbol.asyncDispose]() {
      await Promise.all([serverInfos[Symbol.asyncDispose](), nodes[Symbol.asyncDispose]()]);
    },
  };
}
