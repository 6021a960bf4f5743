import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ConnectRouter, Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { Address } from '@tagplane/runtime';
import { formatAddress, silentLogger } from '@tagplane/runtime';
import {
  GetNodeResponseSchema,
  GetStatusResponseSchema,
  NodeService,
  PEER_HEADER,
  ServerInfoService,
  StatusService,
  UpsertServerInfosResponseSchema,
} from '../index.ts';
import { peerOf } from '../peer.ts';
import { createApiServer } from '../server/api-server.ts';
import type { ApiServer, ApiServerOptions } from '../server/api-server.ts';

/** Some methods, each for one kind of behaviour, behind a server without TLS. */
export async function startSampleApi(options: Partial<ApiServerOptions>): Promise<ApiServer> {
  return await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    log: silentLogger(),
    security: { mode: 'insecure' },
    authorise: (method, peer) => {
      if (peer?.role === 'agent') throw new ConnectError(`not ${method.name}`, Code.PermissionDenied);
    },
    routes: sampleRoutes,
    ...options,
  });
}

const sampleRoutes = (router: ConnectRouter, closing: AbortSignal): void => {
  router.service(StatusService, {
    getStatus: (_request, context) => create(GetStatusResponseSchema, { authId: peerOf(context).name }),
  });
  router.service(ServerInfoService, {
    upsertServerInfos: ({ serverInfos }) =>
      create(UpsertServerInfosResponseSchema, { results: serverInfos.map(() => ({})) }),
  });
  router.service(NodeService, {
    getNode: async ({ serverId }) => {
      if (serverId === 'slow') await delay(300);
      if (serverId === 'broken') throw new Error('the secret is 42');
      return create(GetNodeResponseSchema, { node: { serverId } });
    },
    async *watchNodes() {
      yield { event: { case: 'removedServerId', value: 'first' } };
      if (!closing.aborted) await once(closing, 'abort');
      throw new ConnectError('the server stops', Code.Unavailable);
    },
  });
};

/** Of an operator. */
export const headers = { [PEER_HEADER]: 'operator/ada' };

/** Every protocol that the server speaks. */
export function transports(address: Address): Record<string, Transport> {
  const baseUrl = `http://${formatAddress(address)}`;
  return {
    'gRPC over HTTP/2': createGrpcTransport({ baseUrl }),
    'Connect over HTTP/2': createConnectTransport({ baseUrl, httpVersion: '2' }),
    'Connect over HTTP/1.1': createConnectTransport({ baseUrl, httpVersion: '1.1' }),
    'Connect JSON over HTTP/1.1': createConnectTransport({
      baseUrl,
      httpVersion: '1.1',
      useBinaryFormat: false,
    }),
  };
}

/** An answer to a plain request over HTTP/1.1. */
export async function post(
  address: Address,
  options: { path: string; body?: string; headers?: Record<string, string> },
): Promise<{ status: number | undefined; body: string }> {
  const request = httpRequest({
    ...address,
    method: 'POST',
    agent: false,
    path: options.path,
    headers: { 'content-type': 'application/json', ...options.headers },
  });
  request.end(options.body ?? '{}');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

/** `no error`, or the name of the code. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'no error',
    (error: unknown) => Code[ConnectError.from(error).code],
  );
}
