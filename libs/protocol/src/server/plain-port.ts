import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { createHttp2Connections } from './http2-server.ts';
import { HTTP2_PREFACE, peek } from './peek.ts';
import { FIRST_BYTES_MS, HTTP1_OPTIONS } from './port-limits.ts';
import type { Port, PortOptions } from './port.ts';
import type { NodeHandler } from './rpc-handler.ts';
import { closePort, takeListeners, trackSockets } from './sockets.ts';

/**
 * The HTTP/1.1 server owns the port; connections that begin with HTTP/2's preface go to the HTTP/2
 * server instead of to its own handler.
 */
export function createPlainPort(options: PortOptions): Port {
  const { log } = options;
  const handler: NodeHandler = (request, response) => {
    options.handler(request, response, undefined);
  };
  const http2 = createHttp2Connections({
    handler,
    takeStream: (stream, headers) => options.takeStream(stream, headers, undefined),
    log,
  });
  const server = createServer(HTTP1_OPTIONS, handler);
  const serveHttp1 = takeListeners(server, 'connection');
  server.on('connection', (socket: Socket) => {
    const onNone = (): void => {
      socket.destroy();
    };
    peek(socket, { ms: options.firstBytesMs ?? FIRST_BYTES_MS, onNone }, (first) => {
      if (first !== HTTP2_PREFACE) {
        serveHttp1(socket);
        return;
      }
      // HTTP/1.1's sockets stay open when the peer has ended; HTTP/2's must not, or nobody would notice.
      socket.allowHalfOpen = false;
      http2.serve(socket);
    });
  });
  const sockets = trackSockets(server, options.maxConnections);
  server.on('drop', () => {
    log.warn({ event: 'connection_dropped', connections: sockets.size });
  });
  return {
    server,
    connections: new Set(),
    setCredentials: () => undefined,
    close: (graceMs) => closePort({ server, http2, sockets }, graceMs),
  };
}
