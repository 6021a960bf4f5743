import type { Credentials } from '@tagplane/credentials';
import type { Peer } from '@tagplane/identity';
import type { TlsSessions } from './tls-sessions.ts';

/** How a client proves who it is, and how it knows the auth service. */
export type ClientSecurity = ClientInsecure | ClientMutual | ClientPinned;

/** Without TLS: to a loopback address only, where the auth service believes what `peer` says. */
export interface ClientInsecure {
  readonly mode: 'insecure';
  readonly peer: Peer;
}

/** With a certificate, to an auth service with a certificate of the same cluster. */
export interface ClientMutual {
  readonly mode: 'mutual';
  /** Asked for each new connection, so that a renewed certificate is taken up. */
  readonly credentials: () => Credentials;
  /** Kept by whoever reconnects, so that the next handshake costs less. */
  readonly sessions?: TlsSessions;
}

/** Without a certificate, to an auth service that is known by the pin of its authority. */
export interface ClientPinned {
  readonly mode: 'pinned';
  /** As `publicKeyPin` writes them; one of them must fit. */
  readonly pins: readonly string[];
  /** The cluster that the auth service must be of; absent: any. */
  readonly cluster?: string;
}
