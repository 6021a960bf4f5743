import type { Server as Http1Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Http2Connections } from './http2-server.ts';
import { MAX_CONNECTIONS } from './port-limits.ts';

/** Bounds and keeps the TCP connections of a server. */
export function trackSockets(
  server: Http1Server | HttpsServer,
  maxConnections: number | undefined,
): ReadonlySet<Socket> {
  server.maxConnections = maxConnections ?? MAX_CONNECTIONS;
  server.maxHeadersCount = 100;
  const sockets = new Set<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Takes a server's own listeners away from it, to be called instead of being listened with. */
export function takeListeners(
  server: Http1Server | HttpsServer,
  event: 'connection' | 'secureConnection',
): (socket: Socket) => void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (socket) => {
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  };
}

/** No new connection or stream; resolves when those there have ended, or were ended after `graceMs`. */
export async function closePort(
  port: {
    readonly server: Http1Server | HttpsServer;
    readonly http2: Http2Connections;
    readonly sockets: ReadonlySet<Socket>;
  },
  graceMs: number,
): Promise<void> {
  const { server, http2, sockets } = port;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  http2.close();
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
