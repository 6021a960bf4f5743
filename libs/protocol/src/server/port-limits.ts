import { MINUTE, SECOND } from '@tagplane/runtime';
import type { Http2ServerLimits } from './http2-server.ts';

/** How long a new connection may take to say which protocol it speaks. */
export const FIRST_BYTES_MS = 5 * SECOND;

/**
 * Connections at once. A process has 20,000 file descriptors at most on many systems; this leaves room
 * for the store, the log, and files.
 */
export const MAX_CONNECTIONS = 15_000;

export const MAX_HEADER_BYTES = 16 * 1_024;

/** How long a request may take to come in whole. */
export const REQUEST_MS = 30 * SECOND;

/** Two header timeouts of node's http server, shorter than its defaults: these clients are programs. */
export const HTTP1_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: 10 * SECOND,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: 5 * SECOND,
  // Longer than the usual 60 s of a load balancer, so that the balancer closes first.
  keepAliveTimeout: 65 * SECOND,
  // The system's own probes find peers that vanished without a word, on both protocols.
  keepAlive: true,
  keepAliveInitialDelay: MINUTE,
  noDelay: true,
} as const;

export const HTTP2_OPTIONS: Http2ServerLimits = {
  maxHeaderListPairs: 64,
  /** Megabytes that one connection may hold in queues before further streams are refused. */
  maxSessionMemory: 32,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  // Rapid reset (CVE-2023-44487): a burst of 200, then 20 a second; beyond, the connection is closed.
  streamResetBurst: 200,
  streamResetRate: 20,
  unknownProtocolTimeout: FIRST_BYTES_MS,
  settings: {
    enablePush: false,
    maxConcurrentStreams: 100,
    maxHeaderListSize: MAX_HEADER_BYTES,
    // A batch of 100 ServerInfos (about 100 KB) fits, so that it needs no round trip in its middle.
    initialWindowSize: 256 * 1_024,
  },
};

/** For all streams of one connection together: four full stream windows. */
export const CONNECTION_WINDOW_BYTES = 1_024 * 1_024;
