import { Code, ConnectError, createContextKey } from '@connectrpc/connect';
import type { HandlerContext, Interceptor } from '@connectrpc/connect';
import type { Peer } from '@tagplane/identity';
import { parsePeerClaim } from '@tagplane/identity';
import { PEER_HEADER } from './limits.ts';

const peerKey = createContextKey<Peer | undefined>(undefined, { description: 'the peer of this call' });

/**
 * Finds out who the peer of each call is. This is the one place that decides it: today the peer's own
 * claim in a header, which is why listeners stay on loopback.
 */
export function identifyPeer(): Interceptor {
  return (next) => (request) => {
    const claim = request.header.get(PEER_HEADER);
    request.contextValues.set(peerKey, claim === null ? undefined : parsePeerClaim(claim));
    return next(request);
  };
}

/** @throws ConnectError UNAUTHENTICATED when the peer did not say who it is */
export function peerOf(context: Pick<HandlerContext, 'values'>): Peer {
  const peer = context.values.get(peerKey);
  if (peer === undefined) {
    throw new ConnectError(`who is calling? send the header ${PEER_HEADER}: ROLE/NAME`, Code.Unauthenticated);
  }
  return peer;
}
