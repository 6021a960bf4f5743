import { create } from '@bufbuild/protobuf';
import { WatchMark, WatchNodesResponseSchema } from '@tagplane/protocol';
import type { Node, WatchNodesResponse } from '@tagplane/protocol';
import type { WatchScript } from './fake-auth.ts';

export const nodeEvent = (value: Node): WatchNodesResponse =>
  create(WatchNodesResponseSchema, { event: { case: 'node', value } });

export const removedEvent = (value: string): WatchNodesResponse =>
  create(WatchNodesResponseSchema, { event: { case: 'removedServerId', value } });

export const syncedEvent = (): WatchNodesResponse =>
  create(WatchNodesResponseSchema, { event: { case: 'mark', value: WatchMark.SYNCED } });

export const restartedEvent = (): WatchNodesResponse =>
  create(WatchNodesResponseSchema, { event: { case: 'mark', value: WatchMark.RESTARTED } });

/** Sends these events, then ends the watch, or says no more. */
export function watchScript(events: readonly WatchNodesResponse[], then: 'end' | 'hold'): WatchScript {
  return async function* script() {
    yield* events;
    // Never settles: an end written to a client that has left would be reported on the console.
    if (then === 'hold') await new Promise<never>(() => undefined);
  };
}
