import { X509Certificate } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import type { Credentials } from '@tagplane/credentials';
import { publicKeyPin, sha256Hex } from '@tagplane/identity';
import type { Address } from '@tagplane/runtime';
import { MINUTE, SECOND, formatAddress } from '@tagplane/runtime';
import { ServerCheckError } from './connect-error.ts';
import { presentedChain, serverProblem } from './server-check.ts';
import type { ServerTrust } from './server-check.ts';
import type { TlsSessions } from './tls-sessions.ts';

/** Two round trips; an auth service that everybody comes back to may take seconds for it. */
const CONNECT_MS = 15 * SECOND;
/** For the other side to end a connection too. */
const LEAVE_MS = 5 * SECOND;

const OPTIONS = { ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' } as const;

/** A connection without TLS. */
export function openPlain({ host, port }: Address): Socket {
  return prepared(connectTcp({ host, port }), 'connect');
}

/** A connection as the holder of these credentials, to an auth service of the same cluster. */
export function openMutual(address: Address, credentials: Credentials, sessions?: TlsSessions): TLSSocket {
  const { certificates, privateKey, trust } = credentials;
  const scope = {
    address: formatAddress(address),
    fingerprint: sha256Hex(Buffer.from(certificates[0] ?? '')),
    generation: trust.generation,
  };
  const kept = sessions?.get(scope, Date.now());
  let until = kept?.until ?? 0;
  const authorities = trust.authorities.map((pem) => new X509Certificate(pem));
  const socket = openChecked(address, {
    trust: { authorities, cluster: trust.cluster },
    // A resumed session is with the server that was looked at when it began.
    onServer: (certificate) => {
      until = certificate.validToDate.getTime();
    },
    options: {
      ca: [...trust.authorities],
      cert: certificates.join('\n'),
      key: privateKey,
      ...(kept === undefined ? {} : { session: kept.session }),
    },
  });
  if (sessions !== undefined) {
    socket.on('session', (session) => {
      sessions.put(scope, { session, until });
    });
  }
  return socket;
}

/** A connection without a certificate, to an auth service of these authorities. */
export function openPinned(address: Address, trust: ServerTrust): TLSSocket {
  const ca = trust.authorities.map((authority) => authority.toString());
  // One of them may be certified by another, and be known by its pin all the same.
  return openChecked(address, { trust, options: { ca, allowPartialTrustChain: true } });
}

/**
 * The authorities that the service shows and that have one of the pins. Nothing else of it is looked at:
 * whether it holds a certificate of theirs turns out on the next connection.
 *
 * @throws ServerCheckError when there is none, or what node says when there is no connection
 */
export async function findPinned(address: Address, pins: readonly string[]): Promise<X509Certificate[]> {
  const socket = prepared(
    connectTls({ ...OPTIONS, host: address.host, port: address.port, rejectUnauthorized: false }),
    'secureConnect',
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  const chain = presentedChain(socket.getPeerCertificate(true));
  leave(socket);
  const found = chain.filter((certificate) => certificate.ca && pins.includes(publicKeyPin(certificate)));
  if (found.length > 0) return found;
  throw new ServerCheckError(`no authority of the service has the pin ${pins.join(' or ')}`);
}

/** Ends a connection so that the server sees the handshake through, and takes it for no failure. */
function leave(socket: TLSSocket): void {
  const timer = setTimeout(() => socket.destroy(), LEAVE_MS);
  socket
    .on('error', ignore)
    .once('close', () => {
      clearTimeout(timer);
    })
    .resume()
    .end();
}

interface Checked {
  readonly trust: ServerTrust;
  readonly onServer?: (certificate: X509Certificate) => void;
  readonly options: ConnectionOptions & { readonly allowPartialTrustChain?: boolean };
}

function openChecked({ host, port }: Address, { trust, onServer, options }: Checked): TLSSocket {
  const checkServerIdentity = (_host: string, own: PeerCertificate): Error | undefined => {
    const chain = presentedChain(own as DetailedPeerCertificate);
    const problem = serverProblem(chain, trust, Date.now());
    if (problem !== undefined) return new ServerCheckError(problem);
    const [certificate] = chain;
    if (certificate !== undefined) onServer?.(certificate);
    return undefined;
  };
  const socket = connectTls({ ...OPTIONS, ...options, host, port, checkServerIdentity });
  return prepared(socket, 'secureConnect');
}

/** With a deadline for its beginning, and probes that find a peer that vanished without a word. */
function prepared<Connection extends Socket>(
  socket: Connection,
  ready: 'connect' | 'secureConnect',
): Connection {
  const started = performance.now();
  const timer = setTimeout(() => {
    const seconds = Math.round((performance.now() - started) / SECOND);
    socket.destroy(new ServerCheckError(`no connection within ${seconds} s`));
  }, CONNECT_MS);
  const settle = (): void => {
    clearTimeout(timer);
  };
  socket.once(ready, settle).once('close', settle);
  return socket.setKeepAlive(true, MINUTE);
}

function ignore(): void {
  // It has served its purpose.
}
