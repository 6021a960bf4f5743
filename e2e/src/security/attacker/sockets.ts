import { once } from 'node:events';
import { connect as connectNet } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Address } from '@tagplane/runtime';
import type { ClientCertificate } from './certificates.ts';

export interface Dial {
  readonly address: Address;
  /** A loopback address of one's own. */
  readonly source: string;
  readonly certificate?: ClientCertificate;
  /** `h2` or `http/1.1`. */
  readonly protocol?: string;
  readonly tls?: ConnectionOptions;
}

/** The options of node:tls and node:http2 for an attacker, who does not care whom it talks to. */
export function tlsOptions({ address, source, certificate, protocol = 'h2', tls }: Dial): ConnectionOptions {
  return {
    host: address.host,
    port: address.port,
    // Typed for plain sockets only; node:tls hands it on to them.
    ...{ localAddress: source },
    ALPNProtocols: [protocol],
    rejectUnauthorized: false,
    ...certificate,
    ...tls,
  };
}

/** @throws Error when the handshake fails */
export async function dialTls(dial: Dial): Promise<TLSSocket> {
  const socket = connectTls(tlsOptions(dial));
  await once(socket, 'secureConnect');
  // What becomes of it is seen by its closing.
  socket.on('error', () => undefined);
  return socket;
}

/** A TCP connection and nothing on it. */
export async function dialTcp({ address, source }: Pick<Dial, 'address' | 'source'>): Promise<Socket> {
  const socket = connectNet({ ...address, localAddress: source });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** Everything that the other side sends until it closes or resets; it must do so within the time. */
export async function readToEnd(socket: Socket, timeoutMs: number): Promise<Buffer> {
  const read: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => read.push(chunk));
  const closed = new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else
      socket.once('close', () => {
        resolve();
      });
  });
  const late = new AbortController();
  const patience = delay(timeoutMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`the connection is still open after ${timeoutMs} ms`);
  });
  try {
    await Promise.race([closed, patience]);
  } finally {
    late.abort();
    patience.catch(() => undefined);
  }
  return Buffer.concat(read);
}
