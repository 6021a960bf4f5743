import type { ServerHttp2Session } from 'node:http2';
import { createServer } from 'node:https';
import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { SECOND } from '@tagplane/runtime';
import type { ConnectionTable } from './connection-table.ts';
import { createHttp2Connections } from './http2-server.ts';
import type { Http2Connections } from './http2-server.ts';
import { HTTP2_PREFACE, peek } from './peek.ts';
import { FIRST_BYTES_MS, HTTP1_OPTIONS } from './port-limits.ts';
import type { Port, PortOptions } from './port.ts';
import type { NodeHandler } from './rpc-handler.ts';
import type { MutualTls } from './security.ts';
import { closePort, takeListeners, trackSockets } from './sockets.ts';
import { ALPN, acceptTls, secureContext, tlsOptions } from './tls-acceptor.ts';
import type { TlsPeer } from './tls-peer.ts';

const SWEEP_MS = SECOND;

/** What node's HTTP/1.1 parser gives up on, by its error codes. */
const HTTP1_ABUSES: ReadonlyMap<string, { readonly status: string; readonly detail: string }> = new Map([
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { status: '408 Request Timeout', detail: 'a request over HTTP/1.1 came too slowly' },
  ],
  [
    'HPE_HEADER_OVERFLOW',
    { status: '431 Request Header Fields Too Large', detail: 'headers over HTTP/1.1 are too large' },
  ],
]);

/** Whose a socket of HTTP/1.1 or a session of HTTP/2 is. */
type Owners = WeakMap<object, TlsPeer>;

/** The HTTPS server owns the port; what is not for HTTP/1.1 goes to the HTTP/2 server. */
export function createTlsPort(options: PortOptions, security: MutualTls): Port {
  const owners: Owners = new WeakMap();
  const handler = ownedHandler(options, owners);
  const server = createServer({ ...HTTP1_OPTIONS, ...tlsOptions(security) }, handler);
  const serveHttp1 = takeListeners(server, 'secureConnection');
  const table = acceptTls(server, security, (socket, peer) => {
    owners.set(socket, peer);
    dispatch(socket, peer);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const abuse = HTTP1_ABUSES.get(error.code ?? '');
    const peer = owners.get(socket);
    // Handshakes that fail come here as well.
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    if (abuse !== undefined) table.refused(peer, 'protocol_abuse', abuse.detail);
    // As node itself answers where nobody listens.
    if (socket.writable)
      socket.write(`HTTP/1.1 ${abuse?.status ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
    socket.destroySoon();
  });
  const http2 = ownedHttp2(options, { owners, table, handler });
  const dispatch = (socket: TLSSocket, peer: TlsPeer): void => {
    if (socket.alpnProtocol === ALPN.http2) serveHttp2({ http2, owners, table }, socket, peer);
    else if (socket.alpnProtocol === ALPN.http1) serveHttp1(socket);
    else
      guess(options, { table, socket, peer }, (isHttp2) => {
        if (!isHttp2) {
          serveHttp1(socket);
          return;
        }
        // The HTTP/2 server would refuse who did not ask for it in the handshake.
        socket.alpnProtocol = ALPN.http2;
        serveHttp2({ http2, owners, table }, socket, peer);
      });
  };
  const sockets = trackSockets(server, options.maxConnections);
  const sweep = setInterval(() => {
    table.sweep(performance.now(), Date.now());
  }, SWEEP_MS).unref();
  return {
    server,
    connections: table.connections,
    setCredentials(credentials) {
      server.setSecureContext(secureContext(security, credentials));
    },
    async close(graceMs) {
      await closePort({ server, http2, sockets }, graceMs);
      clearInterval(sweep);
    },
  };
}

/** Nobody may pass for a process without TLS because its connection was lost from sight. */
function ownedHandler(options: PortOptions, owners: Owners): NodeHandler {
  return (request, response) => {
    const owned: object | undefined = 'stream' in request ? request.stream.session : request.socket;
    const peer = owned && owners.get(owned);
    if (peer === undefined) response.destroy();
    else options.handler(request, response, peer);
  };
}

function ownedHttp2(
  options: PortOptions,
  { owners, table, handler }: { owners: Owners; table: ConnectionTable; handler: NodeHandler },
): Http2Connections {
  return createHttp2Connections({
    handler,
    log: options.log,
    takeStream(stream, headers) {
      const peer = stream.session && owners.get(stream.session);
      if (peer !== undefined) return options.takeStream(stream, headers, peer);
      stream.destroy();
      return true;
    },
    onSessionError(session, error) {
      const peer = owners.get(session);
      if (peer !== undefined) table.broken(peer, error);
    },
  });
}

function serveHttp2(
  { http2, owners, table }: { http2: Http2Connections; owners: Owners; table: ConnectionTable },
  socket: TLSSocket,
  peer: TlsPeer,
): void {
  const session: ServerHttp2Session = http2.serve(socket);
  peer.session = session;
  owners.set(session, peer);
  const onChatter = (): void => {
    table.chatter(peer);
  };
  session.on('ping', onChatter).on('remoteSettings', onChatter);
}

/** For a client that did not say in the handshake what it speaks: HTTP/2 if it begins like that. */
function guess(
  options: PortOptions,
  { table, socket, peer }: { table: ConnectionTable; socket: TLSSocket; peer: TlsPeer },
  then: (isHttp2: boolean) => void,
): void {
  const onNone = (): void => {
    table.refused(peer, 'handshake_timeout', 'nothing came after the handshake');
    socket.destroy();
  };
  peek(socket, { ms: options.firstBytesMs ?? FIRST_BYTES_MS, onNone }, (first) => {
    then(first === HTTP2_PREFACE);
  });
}
