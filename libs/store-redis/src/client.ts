import { fullJitter } from '@tagplane/runtime';
import { Cluster, Redis } from 'ioredis';
import type { CommonRedisOptions } from 'ioredis';
import type { RedisEndpoint } from './endpoint.ts';

export type RedisClient = Redis | Cluster;

export interface ClientOptions {
  readonly onError: (error: Error) => void;
  /** False: a connection that is lost stays lost. */
  readonly reconnect: boolean;
  /** A socket that stays silent this long while it owes an answer is given up, in milliseconds. */
  readonly silenceMs: number;
}

/** One connection attempt; several fit into a command's deadline of 5 s. */
const CONNECT_TIMEOUT_MS = 2_000;
// 50 ms to 2 s: quick after a restart, and no storm on a server that is down.
const RECONNECT = { leastMs: 50, baseMs: 100, maxMs: 1_950 };

/**
 * An ioredis client for the endpoint, connecting. It never queues commands while it has no connection and
 * never repeats one by itself: a command that was interrupted fails, and the caller decides.
 */
export function createClient(endpoint: RedisEndpoint, options: ClientOptions): RedisClient {
  const client = endpoint.mode === 'cluster' ? cluster(endpoint, options) : single(endpoint, options);
  client.on('error', options.onError);
  return client;
}

function single(endpoint: RedisEndpoint, options: ClientOptions): Redis {
  const { mode, nodes, masterName, db = 0, sentinelUsername, sentinelPassword } = endpoint;
  const common = {
    ...shared(endpoint, options),
    db,
    retryStrategy: retry(options),
    enableOfflineQueue: false,
  };
  if (mode === 'standalone') return new Redis({ ...common, ...nodes[0] });
  return new Redis({
    ...common,
    sentinels: [...nodes],
    name: masterName,
    sentinelUsername,
    sentinelPassword,
    ...(common.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: common.tls }),
    sentinelRetryStrategy: retry(options),
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    failoverDetector: true,
  });
}

function cluster(endpoint: RedisEndpoint, options: ClientOptions): Cluster {
  return new Cluster([...endpoint.nodes], {
    clusterRetryStrategy: retry(options),
    enableOfflineQueue: false,
    redisOptions: shared(endpoint, options),
    // Names must reach TLS as they are, or a certificate could not match them.
    ...(endpoint.tls !== undefined && {
      dnsLookup: (name, done) => {
        done(null, name);
      },
    }),
  });
}

function shared({ username, password, tls }: RedisEndpoint, options: ClientOptions): CommonOptions {
  return {
    // RESP 3 brings nothing here, and gives XREAD's answer another shape.
    protocol: 2,
    username,
    password,
    ...(tls !== undefined && tls !== false && { tls: tls === true ? {} : tls }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: options.silenceMs,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // After a failover this server is a replica: connecting again finds the new master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

type CommonOptions = Omit<CommonRedisOptions, 'replyMapping'> & { tls?: object };

function retry({ reconnect }: ClientOptions): (times: number) => number | null {
  return (times) => (reconnect ? RECONNECT.leastMs + fullJitter(times, RECONNECT) : null);
}
