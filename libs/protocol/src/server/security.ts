import type { X509Certificate } from 'node:crypto';
import { createContextKey } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import type { CertificateIdentity, IdentifiedCertificate } from '@tagplane/identity';
import type { ConnectionLimits } from './connection-limits.ts';

/** One TLS connection, as far as its calls may look at it. */
export interface PeerConnection {
  /** IP address of the other end. */
  readonly remoteAddress: string;
  /** Who it is; undefined: it showed no certificate, or one that was refused. */
  readonly identity: CertificateIdentity | undefined;
  /** Why its certificate was refused. */
  readonly problem: string | undefined;
  /** Generation of the trust bundle that the peer last said it holds; 0: it has not said. */
  trustGeneration: number;
  /**
   * The peer got a new certificate for the same identity: the connection lives on until that one ends.
   * Without it, a connection is cut when its certificate ends.
   *
   * @throws Error when the identity is not the connection's own
   */
  renewed(identity: CertificateIdentity): void;
  /** Ends it at once. `reason` goes into HTTP/2's GOAWAY. */
  cut(reason: string): void;
}

/** What the server proves itself with, and which clients' certificates it takes. */
export interface ServerCredentials {
  /** PKCS#8 in PEM. */
  readonly privateKey: string;
  /** PEM: its own first, up to and with the authority's own, so that who joins can find its pin. */
  readonly certificates: readonly string[];
  /** PEM: the authorities of clients. */
  readonly authorities: readonly string[];
  /** 48 bytes, the same in all processes that share the authority: a session resumes at any of them. */
  readonly ticketKeys: Uint8Array;
}

/**
 * Something that happened to a connection before any call, for metrics and audit. There may be as many of
 * them as an attacker likes: whoever writes them down bounds how many.
 */
export type ConnectionEvent =
  | { readonly type: 'handshake'; readonly resumed: boolean; readonly remoteAddress: string }
  | ConnectionRefusal;

/** One per connection that was refused or cut, and one per certificate that was refused. */
export interface ConnectionRefusal {
  readonly type: 'refused';
  readonly reason: RefusalReason;
  readonly remoteAddress: string;
  readonly detail: string;
  /** SPIFFE ID, where the peer had proven one. */
  readonly id: string | undefined;
}

export type RefusalReason =
  /** The certificate is not of this cluster, has expired, is not valid yet, or names nobody. */
  | 'bad_certificate'
  /** `admit` said no. */
  | 'denied'
  /** Too many handshakes a second, from everybody or from this address. */
  | 'handshake_rate'
  | 'address_rate'
  /** Too many connections without an identity, or at all. */
  | 'unidentified_limit'
  | 'connection_limit'
  /** Too many connections of this identity. */
  | 'identity_limit'
  /** The handshake, or the first bytes after it, did not come in time, or failed. */
  | 'handshake_timeout'
  | 'handshake_failed'
  /** Without an identity for too long. */
  | 'unidentified_timeout'
  /** The certificate ran out while connected, and was not renewed. */
  | 'certificate_expired'
  /** Abuse of HTTP: rapid resets, floods of pings or settings, headers too large or too slow. */
  | 'protocol_abuse';

export interface MutualTls {
  readonly mode: 'mutual';
  readonly minVersion: 'TLSv1.3' | 'TLSv1.2';
  readonly credentials: ServerCredentials;
  /** Who holds a certificate; asked on each connection, resumed ones too. */
  readonly identify: (certificate: X509Certificate) => IdentifiedCertificate;
  /**
   * Why this identity gets no connection now; undefined: it does. Who is denied is in the same position as
   * who showed no certificate: its calls are answered with the reason.
   */
  readonly admit?: (identity: CertificateIdentity) => string | undefined;
  readonly onEvent?: (event: ConnectionEvent) => void;
  /** Default: each of `DEFAULT_CONNECTION_LIMITS`. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** Without TLS: on loopback only, where every process is believed (header `PEER_HEADER`). */
export interface Insecure {
  readonly mode: 'insecure';
}

export type ServerSecurity = MutualTls | Insecure;

export const connectionKey = createContextKey<PeerConnection | undefined>(undefined, {
  description: 'the connection of this call',
});

/** The connection a call came on; undefined without TLS. */
export function connectionOf(context: Pick<HandlerContext, 'values'>): PeerConnection | undefined {
  return context.values.get(connectionKey);
}
