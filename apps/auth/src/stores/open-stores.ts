import type { Logger } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import type { StoreConfig } from '../config.ts';
import type { AuthMetrics } from '../metrics.ts';
import { measuredStore } from './measured-store.ts';

/** One store for each kind of resource. */
export interface Stores {
  readonly serverInfos: Store;
  readonly nodes: Store;
  /** What decides who may do what, by the prefix of the key: `ca/`, `token/`, `join/`, `lock/`. */
  readonly security: Store;
  /** Audit events, by time. */
  readonly audit: Store;
  /** Who may log in as whom where: `role/NAME`. */
  readonly roles: Store;
  /** What discoveries say of themselves, by the prefix of the key: `replica/`, `scope/`, `enrol/`. */
  readonly discovery: Store;
}

/** Opens the stores; a Redis that cannot be reached is found out later, by the store monitor. */
export function openStores(
  config: StoreConfig,
  { log, metrics }: { readonly log: Logger; readonly metrics: AuthMetrics },
): Stores & AsyncDisposable {
  const open = storeOpener(config, log);
  const serverInfos = open.open('server-info');
  const nodes = open.open('node');
  const security = open.open('security');
  const audit = open.open('audit');
  const roles = open.open('role');
  const discovery = open.open('discovery');
  return {
    serverInfos: measuredStore(serverInfos, 'server-info', metrics),
    nodes: measuredStore(nodes, 'node', metrics),
    security: measuredStore(security, 'security', metrics),
    audit: measuredStore(audit, 'audit', metrics),
    roles: measuredStore(roles, 'role', metrics),
    discovery: measuredStore(discovery, 'discovery', metrics),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [serverInfos, nodes, security, audit, roles, discovery].map((store) => store[Symbol.asyncDispose]()),
      );
      await open[Symbol.asyncDispose]();
    },
  };
}

interface Opener extends AsyncDisposable {
  open(kind: string): Store & AsyncDisposable;
}

function storeOpener(config: StoreConfig, log: Logger): Opener {
  const onError = (kind: string) => (error: Error) => {
    log.debug({ event: 'store_upkeep_failed', kind, err: error });
  };
  if (config.type === 'embedded') {
    return {
      open: (kind) => openEmbeddedStore({ path: config.path, kind, onError: onError(kind) }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  // The connection tries again by itself, many times a minute; outages are the store monitor's to report.
  const connection = connectRedis(config.url, {
    onError: (error) => {
      log.debug({ event: 'redis_connection_failed', err: error });
    },
  });
  return {
    open: (kind) => createRedisStore(connection, { kind, onError: onError(kind) }),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
