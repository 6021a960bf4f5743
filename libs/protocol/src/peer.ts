import { Code, ConnectError, createContextKey } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import type { Peer } from '@tagplane/identity';
import { ROLES, parsePeerClaim } from '@tagplane/identity';
import { PEER_HEADER } from './limits.ts';

const peerKey = createContextKey<Peer | undefined>(undefined, { description: 'the peer of this call' });

/**
 * Finds out who the peer of a call is; a router's `requestGate`, so it runs before the body is read.
 * This file is the one place that decides it: today the peer's own claim in a header, which is why
 * listeners stay on loopback.
 */
export function identifyPeer(context: Pick<HandlerContext, 'requestHeader' | 'values'>): void {
  context.values.set(peerKey, claimedPeer(context.requestHeader.get(PEER_HEADER) ?? ''));
}

/** The peer that the text of the header `PEER_HEADER` names; empty: there was none. */
export function claimedPeer(claim: string): Peer | undefined {
  return parsePeerClaim(claim);
}

/** Undefined when the peer did not say who it is. */
export function knownPeer(context: Pick<HandlerContext, 'values'>): Peer | undefined {
  return context.values.get(peerKey);
}

/** @throws ConnectError UNAUTHENTICATED when the peer did not say who it is */
export function peerOf(context: Pick<HandlerContext, 'values'>): Peer {
  const peer = knownPeer(context);
  if (peer === undefined) throw unidentified();
  return peer;
}

/** UNAUTHENTICATED, with what to do about it. */
export function unidentified(): ConnectError {
  const roles = ROLES.join(', ');
  return new ConnectError(
    `who is calling? send the header ${PEER_HEADER}: ROLE/NAME; roles are ${roles}`,
    Code.Unauthenticated,
  );
}
