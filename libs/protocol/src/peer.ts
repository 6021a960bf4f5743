import { Code, ConnectError, createContextKey } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import type { Peer } from '@tagplane/identity';
import { ROLES, parsePeerClaim } from '@tagplane/identity';
import { PEER_HEADER } from './limits.ts';
import { connectionOf } from './server/security.ts';
import type { PeerConnection } from './server/security.ts';

const peerKey = createContextKey<Peer | undefined>(undefined, { description: 'the peer of this call' });

/**
 * Finds out who the peer of a call is; a router's `requestGate`, so it runs before the body is read.
 * This file is the one place that decides it.
 */
export function identifyPeer(context: Pick<HandlerContext, 'requestHeader' | 'values'>): void {
  const claim = context.requestHeader.get(PEER_HEADER) ?? '';
  context.values.set(peerKey, peerBehind(connectionOf(context), claim));
}

/**
 * Over TLS, whoever the certificate names, and nothing that the peer says in the header `PEER_HEADER`
 * changes it. Without a connection, so on loopback and in memory, the peer is believed.
 */
export function peerBehind(connection: PeerConnection | undefined, claim: string): Peer | undefined {
  return connection === undefined ? parsePeerClaim(claim) : connection.identity?.peer;
}

/** Undefined when the peer did not say who it is. */
export function knownPeer(context: Pick<HandlerContext, 'values'>): Peer | undefined {
  return context.values.get(peerKey);
}

/** @throws ConnectError UNAUTHENTICATED when the peer did not say who it is */
export function peerOf(context: Pick<HandlerContext, 'values'>): Peer {
  const peer = knownPeer(context);
  if (peer === undefined) throw unidentified(connectionOf(context));
  return peer;
}

/** UNAUTHENTICATED, with what to do about it. */
export function unidentified(connection?: PeerConnection): ConnectError {
  return new ConnectError(whyUnidentified(connection), Code.Unauthenticated);
}

function whyUnidentified(connection: PeerConnection | undefined): string {
  if (connection === undefined) {
    const roles = ROLES.join(', ');
    return `who is calling? send the header ${PEER_HEADER}: ROLE/NAME; roles are ${roles}`;
  }
  return connection.problem ?? 'who is calling? no certificate was shown; join the cluster to be given one';
}
