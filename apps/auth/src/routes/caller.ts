import type { HandlerContext } from '@connectrpc/connect';
import { peerText } from '@tagplane/identity';
import { connectionOf, peerOf } from '@tagplane/protocol';

export interface Caller {
  /** `role/name`. */
  readonly actor: string;
  /** IP address; undefined without TLS. */
  readonly remoteAddress: string | undefined;
}

/**
 * Who calls and from where, for an audit event.
 *
 * @throws ConnectError UNAUTHENTICATED when the peer did not say who it is
 */
export function callerOf(context: Pick<HandlerContext, 'values'>): Caller {
  return { actor: peerText(peerOf(context)), remoteAddress: connectionOf(context)?.remoteAddress };
}
