import { createContextKey, createContextValues } from '@connectrpc/connect';
import type { ContextValues, HandlerContext } from '@connectrpc/connect';
import { connectionKey } from './server/security.ts';
import type { PeerConnection } from './server/security.ts';

const cutKey = createContextKey<(() => void) | undefined>(undefined, {
  description: 'ends the stream of this call',
});

/** What a server knows of a call before its handler runs: how to end its stream, and what it came on. */
export function callValues(cut: () => void, connection: PeerConnection | undefined): ContextValues {
  return createContextValues().set(cutKey, cut).set(connectionKey, connection);
}

/**
 * Ends a call's stream at once, also when its peer reads nothing and an answer is stuck half written;
 * undefined where there is no stream below, as in memory.
 */
export function cutOf(context: Pick<HandlerContext, 'values'>): (() => void) | undefined {
  return context.values.get(cutKey);
}
