import type { Server as Http1Server } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Logger } from '@tagplane/runtime';
import { createPlainPort } from './plain-port.ts';
import type { RpcHandler } from './rpc-handler.ts';
import type { PeerConnection, ServerCredentials, ServerSecurity } from './security.ts';
import { createTlsPort } from './tls-port.ts';

/** Answers true when it serves the stream itself. */
export type StreamTaker = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  connection: PeerConnection | undefined,
) => boolean;

export interface PortOptions {
  readonly handler: RpcHandler;
  /** Asked first, for each stream of HTTP/2. */
  readonly takeStream: StreamTaker;
  readonly log: Logger;
  /** Default `MAX_CONNECTIONS`. */
  readonly maxConnections?: number;
  /** How long a connection may take to say which protocol it speaks. Default `FIRST_BYTES_MS`. */
  readonly firstBytesMs?: number;
}

/** One port for HTTP/2 and HTTP/1.1, both with TLS or both without. */
export interface Port {
  /** Listen on this. */
  readonly server: Http1Server | HttpsServer;
  /** Those over TLS. */
  readonly connections: ReadonlySet<PeerConnection>;
  /** For new connections; nothing without TLS. */
  setCredentials(credentials: ServerCredentials): void;
  /** No new connection or stream; resolves when those there have ended, or were ended after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export function createPort(options: PortOptions & { readonly security: ServerSecurity }): Port {
  const { security } = options;
  return security.mode === 'mutual' ? createTlsPort(options, security) : createPlainPort(options);
}
