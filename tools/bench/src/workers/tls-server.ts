// A server that does nothing but take connections over mutual TLS: ours, or node's own.
import { X509Certificate } from 'node:crypto';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { identifyCertificate } from '@tagplane/identity';
import { createApiServer } from '@tagplane/protocol';
import { silentLogger } from '@tagplane/runtime';
import { bareTlsOptions } from '../tls/bare-options.ts';
import { readFleet, serverCredentials } from '../tls/fleet.ts';
import type { TlsServerWork } from '../tls/handshakes.ts';
import { workerArgument } from '../worker.ts';

const { how, fleetFile } = workerArgument() as TlsServerWork;
const fleet = readFleet(fleetFile);
/** More than there can be. */
const UNLIMITED = 1_000_000;

async function ours(): Promise<number> {
  const trust = { cluster: fleet.cluster, authorities: [new X509Certificate(fleet.authority)] };
  const { address } = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    log: silentLogger(),
    authorise: () => undefined,
    routes: () => undefined,
    security: {
      mode: 'mutual',
      minVersion: 'TLSv1.3',
      credentials: serverCredentials(fleet),
      identify: (certificate) => identifyCertificate(certificate, trust, Date.now()),
      limits: { handshakesPerSecond: UNLIMITED, handshakesPerAddress: UNLIMITED },
    },
  });
  return address.port;
}

async function bare(): Promise<number> {
  const server: Server =
    how === 'tls' ? createServer(bareTlsOptions(fleet), takeTls) : createSecureServer(bareTlsOptions(fleet));
  // Clients go away as soon as the handshake is done.
  server.on('sessionError', ignore).on('tlsClientError', ignore);
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

function takeTls(socket: TLSSocket): void {
  socket.on('error', ignore).resume().write('x');
}

function ignore(): void {
  // It is gone.
}

process.send?.(how === 'ours' ? await ours() : await bare());
