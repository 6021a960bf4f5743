import type { ConnectRouter } from '@connectrpc/connect';
import type { Address } from '@tagplane/runtime';
import { ConfigError, formatAddress, isLoopback, listen } from '@tagplane/runtime';
import { createPort } from './port.ts';
import type { PortOptions, StreamTaker } from './port.ts';
import { isPlainStream } from './raw-stream.ts';
import type { RawMethod } from './raw-stream.ts';
import { createRpcHandler } from './rpc-handler.ts';
import type { RpcOptions } from './rpc-options.ts';
import { rpcOptions } from './rpc-options.ts';
import type { PeerConnection, ServerCredentials, ServerSecurity } from './security.ts';

export interface ApiServerOptions extends RpcOptions, Omit<PortOptions, 'handler' | 'takeStream'> {
  readonly listen: Address;
  /** Without TLS only on a loopback address. */
  readonly security: ServerSecurity;
  /** `closing` aborts when the server begins to close: streams that have no end of their own end then. */
  readonly routes: (router: ConnectRouter, closing: AbortSignal) => void;
  /** Methods of `routes` that have another form for requests in binary. */
  readonly binaryRoutes?: (router: ConnectRouter) => void;
  /** How long the one message of a unary request may take to come in, in milliseconds. Default 30 s. */
  readonly requestMs?: number;
  /** Methods of `routes` that are served from the stream itself where the request is plain enough. */
  readonly rawMethods?: readonly RawMethod[];
}

export interface ApiServer {
  /** With the port that the system gave when 0 was asked for. */
  readonly address: Address;
  /** Those over TLS, from the end of their handshake to their own. */
  readonly connections: ReadonlySet<PeerConnection>;
  /** For new connections; those there live on as they are. Nothing without TLS. */
  setCredentials(credentials: ServerCredentials): void;
  /** Open connections, before they are closed. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Serves gRPC and Connect over HTTP/2, and Connect (JSON or binary) over HTTP/1.1, on one port.
 *
 * @throws ConfigError for `tls.mode: insecure` on an address that is not loopback
 * @throws Error that names the address when it cannot be listened on
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { security } = options;
  if (security.mode === 'insecure' && !isLoopback(options.listen.host)) {
    const address = formatAddress(options.listen);
    throw new ConfigError(`tls.mode: insecure is for loopback addresses only, and listen is ${address}`);
  }
  const closing = new AbortController();
  const binaryRoutes = options.binaryRoutes && { binaryRoutes: options.binaryRoutes };
  const requestMs = options.requestMs === undefined ? {} : { requestMs: options.requestMs };
  const handler = createRpcHandler(
    (router) => {
      options.routes(router, closing.signal);
    },
    { ...rpcOptions(options), ...binaryRoutes, ...requestMs, log: options.log },
  );
  const port = createPort({ ...options, handler, takeStream: rawStreams(options) });
  const address = await listen(port.server, options.listen);
  return {
    address,
    connections: port.connections,
    setCredentials(credentials) {
      port.setCredentials(credentials);
    },
    async close({ graceMs }) {
      closing.abort();
      await port.close(graceMs);
    },
  };
}

function rawStreams(options: ApiServerOptions): StreamTaker {
  const methods = new Map((options.rawMethods ?? []).map((method) => [method.path, method]));
  return (stream, headers, connection) => {
    const method = methods.get(headers[':path'] ?? '');
    if (method === undefined || !isPlainStream(headers)) return false;
    method.serve(options, stream, headers, connection);
    return true;
  };
}
