import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Code, ConnectError, createConnectRouter } from '@connectrpc/connect';
import type { ConnectRouter, ConnectRouterOptions } from '@connectrpc/connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { Logger } from '@tagplane/runtime';
import { callValues } from '../cut.ts';
import { REQUEST_MS } from './port-limits.ts';
import type { PeerConnection } from './security.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;
/** `connection` is undefined without TLS. */
export type RpcHandler = (
  request: NodeRequest,
  response: NodeResponse,
  connection: PeerConnection | undefined,
) => void;

export type Routes = (router: ConnectRouter) => void;
type UniversalHandler = ConnectRouter['handlers'][number];

/**
 * Serves a router's methods to node's HTTP servers. It differs from connect-node's own adapter in two
 * ways: a request whose address is no URL is answered with 400 instead of ending the process, and
 * failures go to the log instead of the console. Methods among the `binaryRoutes` are served there when
 * the request's messages are binary.
 */
export function createRpcHandler(
  routes: Routes,
  options: ConnectRouterOptions & {
    readonly log: Logger;
    readonly binaryRoutes?: Routes;
    /** How long a request may take to come in whole, where it is one message. Default `REQUEST_MS`. */
    readonly requestMs?: number;
  },
): RpcHandler {
  const { log, binaryRoutes = () => undefined, requestMs = REQUEST_MS, ...routerOptions } = options;
  const handlers = handlersOf(routes, routerOptions);
  const binaryHandlers = handlersOf(binaryRoutes, routerOptions);
  return (request, response, connection) => {
    // Without a listener, a write to a connection that has just gone would end the process.
    response.on('error', ignore);
    const path = pathOf(request);
    const handler = (isBinary(request) ? binaryHandlers.get(path) : undefined) ?? handlers.get(path);
    if (handler === undefined) {
      refuse(response, 404);
      return;
    }
    if ('stream' in request && ONE_REQUEST.has(handler.method.methodKind))
      limitTime(request, response, requestMs);
    let universal;
    try {
      const values = callValues(() => response.destroy(), connection);
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

function handlersOf(routes: Routes, options: ConnectRouterOptions): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter(options);
  routes(router);
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** Connect's, gRPC's and gRPC-Web's types for binary protobuf; the last two may leave the format out. */
const BINARY = /^application\/(?:proto|grpc(?:-web)?(?:\+proto)?)(?:;|$)/i;

function isBinary(request: NodeRequest): boolean {
  return BINARY.test(request.headers['content-type'] ?? '');
}

function pathOf(request: NodeRequest): string {
  return request.url?.split('?', 1)[0] ?? '';
}

function refuse(response: NodeResponse, status: 400 | 404): void {
  response.statusCode = status;
  response.end();
}

/** Whose request is one message, and so has an end. */
const ONE_REQUEST: ReadonlySet<string> = new Set(['unary', 'server_streaming']);

/** HTTP/1.1 has this of its own. */
function limitTime(request: Http2ServerRequest, response: NodeResponse, ms: number): void {
  const timer = setTimeout(() => {
    response.destroy();
  }, ms);
  const settle = (): void => {
    clearTimeout(timer);
  };
  request.once('end', settle).once('close', settle);
}

function ignore(): void {
  // Reported by the call's own end.
}
