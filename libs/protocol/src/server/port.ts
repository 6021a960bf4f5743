import { createServer as createHttp1Server } from 'node:http';
import type { Server as Http1Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from '@tagplane/runtime';
import {
  CONNECTION_WINDOW_BYTES,
  FIRST_BYTES_MS,
  HTTP1_OPTIONS,
  HTTP2_OPTIONS,
  MAX_CONNECTIONS,
} from './port-limits.ts';
import type { NodeHandler } from './rpc-handler.ts';

/** `ServerOptions` with what this node has and its type declarations lack. */
export interface Http2ServerLimits extends ServerOptions {
  readonly streamResetBurst?: number;
  readonly streamResetRate?: number;
}

/** Answers true when it serves the stream itself. */
export type StreamTaker = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

export interface PortOptions {
  readonly handler: NodeHandler;
  /** Asked first, for each stream of HTTP/2. */
  readonly takeStream?: StreamTaker;
  readonly log: Logger;
  /** Default `MAX_CONNECTIONS`. */
  readonly maxConnections?: number;
  /** Default `FIRST_BYTES_MS`. */
  readonly firstBytesMs?: number;
}

/** One port for plain HTTP/2 (by prior knowledge) and HTTP/1.1. */
export interface Port {
  /** Listen on this. */
  readonly server: Http1Server;
  /** No new connection or stream; resolves when those there have ended, or were ended after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The first bytes of an HTTP/2 client (RFC 9113, 3.4); no HTTP/1.1 method begins like this. */
const HTTP2_PREFACE = 'PRI';

/**
 * The HTTP/1.1 server owns the port; connections that begin with HTTP/2's preface go to the HTTP/2
 * server instead of to its own handler.
 */
export function createPort(options: PortOptions): Port {
  const http1 = createHttp1Server(HTTP1_OPTIONS, options.handler);
  http1.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  http1.maxHeadersCount = 100;
  const http2 = createHttp2Server(HTTP2_OPTIONS, options.handler);
  if (options.takeStream !== undefined) offerStreams(http2, options.takeStream);
  const sessions = trackSessions(http2, options.log);
  const sockets = new Set<Socket>();
  const serveHttp1 = http1.listeners('connection');
  http1.removeAllListeners('connection');
  http1.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    peek(socket, options.firstBytesMs ?? FIRST_BYTES_MS, (first) => {
      if (first !== HTTP2_PREFACE) {
        for (const serve of serveHttp1) Reflect.apply(serve, http1, [socket]);
        return;
      }
      // HTTP/1.1's sockets stay open when the peer has ended; HTTP/2's must not, or nobody would notice.
      socket.allowHalfOpen = false;
      http2.emit('connection', socket);
    });
  });
  http1.on('drop', () => {
    options.log.warn({ event: 'connection_dropped', connections: sockets.size });
  });
  return {
    server: http1,
    close: (graceMs) => closePort(http1, sessions, sockets, graceMs),
  };
}

/** Streams that are not taken go on to the server's own requests and responses. */
function offerStreams(server: Http2Server, take: StreamTaker): void {
  const others = server.listeners('stream');
  server.removeAllListeners('stream');
  server.on('stream', (stream, headers, ...rest) => {
    if (take(stream, headers)) return;
    for (const serve of others) Reflect.apply(serve, server, [stream, headers, ...rest]);
  });
}

/** Waits for the first bytes, puts them back, and hands them on; a connection that sends none is closed. */
function peek(socket: Socket, ms: number, onFirst: (first: string) => void): void {
  const giveUp = (): void => {
    socket.destroy();
  };
  const timer = setTimeout(giveUp, ms);
  const onReadable = (): void => {
    const first = socket.read(HTTP2_PREFACE.length) as Buffer | null;
    if (first === null) return;
    settle();
    socket.unshift(first);
    onFirst(first.toString('latin1'));
  };
  const settle = (): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', giveUp).off('error', giveUp).off('close', settle);
  };
  socket.on('readable', onReadable).on('end', giveUp).on('error', giveUp).on('close', settle);
}

function trackSessions(server: Http2Server, log: Logger): ReadonlySet<ServerHttp2Session> {
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  });
  // A broken connection is everyday life; its streams' calls report what became of them.
  server.on('sessionError', (error: Error) => {
    log.debug({ event: 'connection_failed', err: error });
  });
  return sessions;
}

async function closePort(
  server: Http1Server,
  sessions: ReadonlySet<ServerHttp2Session>,
  sockets: ReadonlySet<Socket>,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  for (const session of sessions) session.close();
  // A kept-alive HTTP/1.1 connection becomes idle only when its answer has been written.
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
