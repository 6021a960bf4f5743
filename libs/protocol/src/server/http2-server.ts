import { createServer } from 'node:http2';
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from '@tagplane/runtime';
import { CONNECTION_WINDOW_BYTES, HTTP2_OPTIONS, MAX_HEADER_BYTES } from './port-limits.ts';
import type { NodeHandler } from './rpc-handler.ts';

/** `ServerOptions` with what this node has and its type declarations lack. */
export interface Http2ServerLimits extends ServerOptions {
  readonly streamResetBurst?: number;
  readonly streamResetRate?: number;
}

/** Answers true when it serves the stream itself. */
export type Http2StreamTaker = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

export interface Http2Options {
  readonly handler: NodeHandler;
  /** Asked first, for each stream. */
  readonly takeStream: Http2StreamTaker;
  /** A connection broke, or was ended because its peer abused it. */
  readonly onSessionError?: (session: ServerHttp2Session, error: Error) => void;
  readonly log: Logger;
}

/** Serves connections that others have accepted. */
export interface Http2Connections {
  serve(socket: Socket): ServerHttp2Session;
  /** Lets the streams end that are there, and takes no more. */
  close(): void;
}

export function createHttp2Connections(options: Http2Options): Http2Connections {
  const server = createServer(HTTP2_OPTIONS, options.handler);
  offerStreams(server, options.takeStream);
  const sessions = new Set<ServerHttp2Session>();
  const made: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    made.push(session);
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  });
  // A broken connection is everyday life; its streams' calls report what became of them.
  server.on('sessionError', (error: Error, session: ServerHttp2Session) => {
    options.log.debug({ event: 'connection_failed', err: error });
    options.onSessionError?.(session, error);
  });
  return {
    serve(socket) {
      // Makes the session at once.
      server.emit('connection', socket);
      const [session] = made.splice(0);
      if (session === undefined) throw new Error('the HTTP/2 server made no session');
      return session;
    },
    close() {
      for (const session of sessions) session.close();
    },
  };
}

/** Streams that are not taken go on to the server's own requests and responses. */
function offerStreams(server: Http2Server, take: Http2StreamTaker): void {
  const others = server.listeners('stream');
  server.removeAllListeners('stream');
  server.on('stream', (stream, headers, flags, rawHeaders) => {
    if (sizeOf(rawHeaders) > MAX_HEADER_BYTES) {
      stream.on('error', ignore).respond({ ':status': 431 }, { endStream: true });
      return;
    }
    if (take(stream, headers)) return;
    for (const serve of others) Reflect.apply(serve, server, [stream, headers, flags, rawHeaders]);
  });
}

/** Names and values; node only tells the peer its limit, and takes 64 KiB. */
function sizeOf(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((size, text) => size + text.length, 0);
}

function ignore(): void {
  // The connection is gone with the stream.
}
