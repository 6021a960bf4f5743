import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Code, ConnectError, createConnectRouter } from '@connectrpc/connect';
import type { ConnectRouter, ConnectRouterOptions } from '@connectrpc/connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { Logger } from '@tagplane/runtime';
import { callValues } from '../cut.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/**
 * Serves a router's methods to node's HTTP servers. It differs from connect-node's own adapter in two
 * ways: a request whose address is no URL is answered with 400 instead of ending the process, and
 * failures go to the log instead of the console.
 */
export function createRpcHandler(
  routes: (router: ConnectRouter) => void,
  options: ConnectRouterOptions & { readonly log: Logger },
): NodeHandler {
  const { log, ...routerOptions } = options;
  const router = createConnectRouter(routerOptions);
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    // Without a listener, a write to a connection that has just gone would end the process.
    response.on('error', ignore);
    const handler = handlers.get(pathOf(request));
    if (handler === undefined) {
      refuse(response, 404);
      return;
    }
    let universal;
    try {
      const values = callValues(() => response.destroy());
      universal = universalRequestFromNodeRequest(request, response as ServerResponse, undefined, values);
    } catch {
      refuse(response, 400);
      return;
    }
    handler(universal)
      .then((answer) => universalResponseToNodeResponse(answer, response))
      .catch((error: unknown) => {
        const { code } = ConnectError.from(error);
        // The peer went away while its answer was being written.
        if (code === Code.Aborted || code === Code.Canceled) return;
        log.warn({ event: 'rpc_answer_failed', method: handler.requestPath.slice(1), err: error });
        response.destroy();
      });
  };
}

function pathOf(request: NodeRequest): string {
  return request.url?.split('?', 1)[0] ?? '';
}

function refuse(response: NodeResponse, status: 400 | 404): void {
  response.statusCode = status;
  response.end();
}

function ignore(): void {
  // Reported by the call's own end.
}
