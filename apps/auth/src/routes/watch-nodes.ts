import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import type { NodeService } from '@tagplane/protocol';
import type { NodeHub } from '../node-watch/node-hub.ts';

type WatchNodes = ServiceImpl<typeof NodeService>['watchNodes'];

/** @param closing ends the watches when the process stops; clients come back elsewhere */
export function watchNodes(hub: NodeHub, closing: AbortSignal): WatchNodes {
  return async function* (_request, context) {
    const events = hub.watch(AbortSignal.any([context.signal, closing]));
    if (events === undefined) throw new ConnectError('too many watches here', Code.ResourceExhausted);
    yield* events;
    if (closing.aborted) throw new ConnectError('this process is stopping', Code.Unavailable);
  };
}
