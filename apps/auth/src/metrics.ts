import type { FinishedCall } from '@tagplane/protocol';
import { Counter, Gauge, Histogram } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';

/** Seconds: a store in the same room answers within a millisecond, and commands give up after five. */
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Seconds: the same, up to streams of a day. */
const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 60, 600, 3_600, 86_400];

export type AuthMetrics = ReturnType<typeof createMetrics>;

/** The figures of the API and the store; the control plane registers its own. */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: 'tagplane_auth_requests_total',
    help: 'Calls that have ended, by method and code (ok, or the name of an error).',
    labelNames: ['method', 'code'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'tagplane_auth_request_seconds',
    help: 'How long calls took; streams count once, when they end.',
    labelNames: ['method'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  return {
    onCall: ({ method, code, seconds }: FinishedCall): void => {
      requests.inc({ method, code });
      requestSeconds.observe({ method }, seconds);
    },
    storeSeconds: new Histogram({
      name: 'tagplane_auth_store_seconds',
      help: 'How long the store took to answer, by kind of resource and operation, failures included.',
      labelNames: ['kind', 'operation'],
      buckets: STORE_BUCKETS,
      registers,
    }),
    storeFailures: new Counter({
      name: 'tagplane_auth_store_failures_total',
      help: 'Operations that the store did not carry out, by kind of resource and operation.',
      labelNames: ['kind', 'operation'],
      registers,
    }),
    storeReachable: new Gauge({
      name: 'tagplane_auth_store_reachable',
      help: '1 while the store answers, else 0.',
      registers,
    }),
    items: new Gauge({
      name: 'tagplane_auth_stored_items',
      help: 'Items in the store, by kind: assigned and discovered ServerInfos, and nodes.',
      labelNames: ['kind'],
      registers,
    }),
    upserts: new Counter({
      name: 'tagplane_auth_upserts_total',
      help: 'ServerInfos sent to be written, by result: accepted, invalid, denied, conflict or held.',
      labelNames: ['result'],
      registers,
    }),
    unreadable: new Counter({
      name: 'tagplane_auth_unreadable_items_total',
      help: 'Stored items that were left out of an answer because this version cannot read them.',
      labelNames: ['kind'],
      registers,
    }),
    nodeWatchers: new Gauge({
      name: 'tagplane_auth_node_watchers',
      help: 'Open WatchNodes calls.',
      registers,
    }),
    nodeWatchRestarts: new Counter({
      name: 'tagplane_auth_node_watch_restarts_total',
      help: 'Fresh lists sent to watchers because they fell behind or the feed lost its place.',
      registers,
    }),
  };
}
