import { performance } from 'node:perf_hooks';
import type { Server as HttpsServer } from 'node:https';
import type { DropArgument, Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls';
import { HOUR, SECOND } from '@tagplane/runtime';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { ConnectionTable } from './connection-table.ts';
import { HandshakeGate } from './handshake-gate.ts';
import type { MutualTls, ServerCredentials } from './security.ts';
import { takeListeners } from './sockets.ts';
import { TlsPeer } from './tls-peer.ts';
import type { Identification } from './tls-peer.ts';

/** As long as a certificate by default: nothing is won by more, and `identify` is asked each time. */
const SESSION_LIFETIME_S = (12 * HOUR) / SECOND;

/** Protocols to be agreed on in the handshake. */
export const ALPN = { http2: 'h2', http1: 'http/1.1' } as const;

/** The part of the options of `https.createServer` that is about TLS. */
export function tlsOptions(security: MutualTls): TlsOptions {
  return {
    ...secureContext(security, security.credentials),
    requestCert: true,
    // Whoever joins has no certificate, and whoever shows a bad one is told why by an answer to its calls.
    rejectUnauthorized: false,
    ALPNProtocols: [ALPN.http2, ALPN.http1],
  };
}

/** For `setSecureContext` as well. */
export function secureContext(
  { minVersion }: MutualTls,
  credentials: ServerCredentials,
): SecureContextOptions & { ticketKeys: Buffer } {
  return {
    key: credentials.privateKey,
    cert: credentials.certificates.join('\n'),
    ca: [...credentials.authorities],
    minVersion,
    ticketKeys: Buffer.from(credentials.ticketKeys),
    sessionTimeout: SESSION_LIFETIME_S,
    // Node's own is made of the command line, which differs between processes that share their tickets.
    sessionIdContext: 'tagplane',
  };
}

/** Called when a handshake is done. */
export type OnSecure = (socket: TLSSocket, peer: TlsPeer) => void;

/**
 * Puts admission before the handshakes of a TLS server and identification behind them.
 *
 * @returns all of its connections
 */
export function acceptTls(server: HttpsServer, security: MutualTls, onSecure: OnSecure): ConnectionTable {
  const limits = { ...DEFAULT_CONNECTION_LIMITS, ...security.limits };
  const onEvent = security.onEvent ?? ignore;
  const table = new ConnectionTable({ limits, onEvent });
  const gate = new HandshakeGate(limits, performance.now());
  const handshake = takeListeners(server, 'connection');
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const reason = gate.refusal(remoteAddress, performance.now());
    if (reason !== undefined) {
      // A reset leaves nothing behind on this side.
      socket.on('error', ignore).resetAndDestroy();
      onEvent({
        type: 'refused',
        reason,
        remoteAddress,
        detail: 'too many handshakes a second',
        id: undefined,
      });
      return;
    }
    table.begin(socket, performance.now());
    handshake(socket);
  });
  server.on('secureConnection', (socket) => {
    const peer = identified(socket, security);
    if (peer === undefined) return;
    const { remoteAddress } = peer;
    onEvent({ type: 'handshake', resumed: socket.isSessionReused(), remoteAddress });
    if (table.established(socket, peer)) onSecure(socket, peer);
  });
  // Before the server's own, which destroys the socket.
  server.prependListener('tlsClientError', (error, socket) => {
    table.failed(socket, error.message);
  });
  server.on('drop', (dropped?: DropArgument) => {
    const remoteAddress = dropped?.remoteAddress ?? '';
    const detail = `more than ${server.maxConnections} connections`;
    onEvent({ type: 'refused', reason: 'connection_limit', remoteAddress, detail, id: undefined });
  });
  return table;
}

/** Undefined: the peer is gone already. */
function identified(socket: TLSSocket, security: MutualTls): TlsPeer | undefined {
  const { remoteAddress } = socket;
  if (remoteAddress === undefined) {
    socket.destroy();
    return undefined;
  }
  return new TlsPeer(socket, remoteAddress, identify(socket, remoteAddress, security));
}

function identify(socket: TLSSocket, remoteAddress: string, security: MutualTls): Identification {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { identity: undefined, problem: undefined };
  const found = security.identify(certificate);
  const refuse = (reason: 'bad_certificate' | 'denied', problem: string, id?: string): Identification => {
    security.onEvent?.({ type: 'refused', reason, remoteAddress, detail: problem, id });
    return { identity: undefined, problem };
  };
  if (!found.ok) return refuse('bad_certificate', found.problem);
  const { peer, id, issuer, validUntil } = found;
  const identity = { peer, id, issuer, validUntil };
  const denial = security.admit?.(identity);
  if (denial !== undefined) return refuse('denied', denial, id);
  return { identity, problem: undefined };
}

function ignore(): void {
  // Nobody wants to know.
}
