import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Client, Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { Address } from '@tagplane/runtime';
import { formatAddress, silentLogger } from '@tagplane/runtime';
import { upsertBatchRoute } from '../batch/upsert-batch.ts';
import {
  GetNodeResponseSchema,
  GetStatusResponseSchema,
  NodeService,
  PEER_HEADER,
  ServerInfoService,
  StatusService,
  UpsertServerInfosResponseSchema,
} from '../index.ts';
import { cutOf } from '../cut.ts';
import { peerOf } from '../peer.ts';
import { createApiServer } from './api-server.ts';
import type { ApiServer, ApiServerOptions } from './api-server.ts';
import type { FinishedCall } from './call-boundary.ts';

const open: ApiServer[] = [];
const calls: FinishedCall[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close({ graceMs: 100 });
  calls.length = 0;
});

async function serve(options: Partial<ApiServerOptions> = {}): Promise<Address> {
  const server = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    log: silentLogger(),
    security: { mode: 'insecure' },
    authorise: (method, peer) => {
      if (peer?.role === 'agent') throw new ConnectError(`not ${method.name}`, Code.PermissionDenied);
    },
    onCall: (call) => calls.push(call),
    routes: (router, closing) => {
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
    },
    ...options,
  });
  open.push(server);
  return server.address;
}

/** Serves a stream without end, to be cut; resolves `over` when its handler is let go. */
async function serveEndless(): Promise<{
  address: Address;
  cut: Promise<() => void>;
  over: Promise<unknown>;
}> {
  const started = Promise.withResolvers<() => void>();
  const over = Promise.withResolvers<undefined>();
  const address = await serve({
    routes: (router) => {
      router.service(NodeService, {
        async *watchNodes(_request, context) {
          started.resolve(cutOf(context) ?? (() => undefined));
          try {
            for (;;) {
              await delay(1);
              yield { event: { case: 'removedServerId', value: 'x'.repeat(1_000_000) } };
            }
          } finally {
            over.resolve(undefined);
          }
        },
      });
    },
  });
  return { address, cut: started.promise, over: over.promise };
}

const headers = { [PEER_HEADER]: 'operator/ada' };

function transports(address: Address): Record<string, Transport> {
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

async function post(
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

async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'no error',
    (error: unknown) => Code[ConnectError.from(error).code],
  );
}

describe('one port for every protocol', () => {
  it('answers unary calls and streams, and says what is wrong, over each of them', async () => {
    const address = await serve();
    for (const [name, transport] of Object.entries(transports(address))) {
      const status = createClient(StatusService, transport);
      const nodes = createClient(NodeService, transport);
      expect([name, (await status.getStatus({}, { headers })).authId]).toEqual([name, 'ada']);
      expect(await codeOf(status.getStatus({}))).toBe('Unauthenticated');
      expect(await codeOf(nodes.getNode({ serverId: '' }, { headers }))).toBe('InvalidArgument');
      expect(await codeOf(nodes.listNodes({}, { headers }))).toBe('Unimplemented');
      const agent = { headers: { [PEER_HEADER]: 'agent/a' } };
      expect(await codeOf(status.getStatus({}, agent))).toBe('PermissionDenied');
      expect([name, await firstEvent(nodes)]).toEqual([name, 'first']);
    }
  });

  it('serves a binary request from the binary routes, under the same rules, and JSON from the others', async () => {
    const lengths: number[][] = [];
    const address = await serve({
      binaryRoutes: (router) => {
        upsertBatchRoute(router, ({ serverInfos }) => {
          lengths.push(serverInfos.map((encoded) => encoded.length));
          const results = serverInfos.map(() => ({ reason: 'by the batch' }));
          return Promise.resolve(create(UpsertServerInfosResponseSchema, { results }));
        });
      },
    });
    const request = { serverInfos: [{ name: 'one' }, {}] };
    for (const [name, transport] of Object.entries(transports(address))) {
      const client = createClient(ServerInfoService, transport);
      const { results } = await client.upsertServerInfos(request, { headers });
      const reason = name.includes('JSON') ? '' : 'by the batch';
      expect([name, results.map((result) => result.reason)]).toEqual([name, [reason, reason]]);
      expect(await codeOf(client.upsertServerInfos({}, { headers }))).toBe('InvalidArgument');
      const agent = { headers: { [PEER_HEADER]: 'agent/a' } };
      expect(await codeOf(client.upsertServerInfos(request, agent))).toBe('PermissionDenied');
    }
    expect(lengths).toEqual([
      [5, 0],
      [5, 0],
      [5, 0],
    ]);
  });

  it('speaks plain JSON to whoever posts it', async () => {
    const address = await serve();
    const path = '/tagplane.v1.StatusService/GetStatus';
    const answer = await post(address, { path, headers });
    expect(answer).toEqual({ status: 200, body: '{"authId":"ada"}' });
    expect(JSON.parse((await post(address, { path })).body)).toMatchObject({ code: 'unauthenticated' });
    expect((await post(address, { path: '/elsewhere', headers })).status).toBe(404);
  });

  it('hides the text of an unexpected error and reports every call once', async () => {
    const address = await serve();
    const nodes = createClient(
      NodeService,
      createGrpcTransport({ baseUrl: `http://${formatAddress(address)}` }),
    );
    await expect(nodes.getNode({ serverId: 'broken' }, { headers })).rejects.toThrow(
      '[internal] internal error',
    );
    await nodes.getNode({ serverId: 'fine' }, { headers });
    await codeOf(nodes.getNode({ serverId: 'x' }, { headers: { [PEER_HEADER]: 'agent/a' } }));
    await codeOf(nodes.getNode({ serverId: '' }, { headers }));
    expect(calls.map(({ method, code }) => `${method} ${code}`)).toEqual(
      ['internal', 'ok', 'permission_denied', 'invalid_argument'].map(
        (code) => `tagplane.v1.NodeService/GetNode ${code}`,
      ),
    );
    expect(calls.every(({ seconds }) => seconds >= 0)).toBe(true);
  });

  it('translates the errors it is told to', async () => {
    const address = await serve({ translate: () => new ConnectError('later', Code.Unavailable) });
    const nodes = createClient(
      NodeService,
      createGrpcTransport({ baseUrl: `http://${formatAddress(address)}` }),
    );
    expect(await codeOf(nodes.getNode({ serverId: 'broken' }, { headers }))).toBe('Unavailable');
  });
});

describe('limits', () => {
  it('refuses a message over 4 MiB', async () => {
    const address = await serve();
    const serverInfos = [{ name: 'x'.repeat(4 * 1024 * 1024) }];
    for (const [name, transport] of Object.entries(transports(address))) {
      const client = createClient(ServerInfoService, transport);
      const code = await codeOf(client.upsertServerInfos({ serverInfos }, { headers }));
      expect([name, code]).toEqual([name, 'ResourceExhausted']);
    }
  });

  it('closes a connection that does not say what it speaks', async () => {
    const address = await serve({ firstBytesMs: 50 });
    for (const beginning of ['', 'PR']) {
      const socket = connect(address.port, address.host);
      socket.write(beginning);
      socket.resume();
      await once(socket, 'close');
      expect(socket.bytesRead).toBe(0);
    }
  });

  it.each([
    ['no host', 'POST /tagplane.v1.StatusService/GetStatus HTTP/1.0\r\n\r\n', ' 400 '],
    ['a host that is none', 'POST /tagplane.v1.StatusService/GetStatus HTTP/1.1\r\nHost: [\r\n\r\n', ' 400 '],
    ['a header over 16 KiB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, ' 431 '],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n', ' 400 '],
    ['an HTTP/2 preface that goes wrong', 'PRI * HTTP/1.1\r\n\r\n', ''],
  ])('survives %s', async (_what, bytes, status) => {
    const address = await serve();
    const socket = connect(address.port, address.host);
    socket.end(bytes);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toContain(status);
    expect((await post(address, { path: '/tagplane.v1.StatusService/GetStatus', headers })).status).toBe(200);
  });

  it('takes bytes that come one by one', async () => {
    const address = await serve();
    const socket = connect({ ...address, noDelay: true });
    for (const byte of 'POST /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n') {
      socket.write(byte);
      await delay(1);
    }
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toContain(' 404 ');
  });

  it('holds at most so many connections', async () => {
    const address = await serve({ maxConnections: 1 });
    const first = connect(address.port, address.host);
    await once(first, 'connect');
    const second = connect(address.port, address.host);
    second.on('error', () => undefined).resume();
    await once(second, 'close');
    first.destroy();
    expect(second.bytesRead).toBe(0);
  });
});

describe('closing', () => {
  it('lets calls finish, ends streams, and takes no more', async () => {
    const address = await serve();
    const transport = createGrpcTransport({ baseUrl: `http://${formatAddress(address)}` });
    const nodes = createClient(NodeService, transport);
    const stream = nodes.watchNodes({}, { headers })[Symbol.asyncIterator]();
    await stream.next();
    const slow = nodes.getNode({ serverId: 'slow' }, { headers });
    await delay(50);
    const closed = open[0]?.close({ graceMs: 20_000 });
    expect(await codeOf(stream.next())).toBe('Unavailable');
    expect((await slow).node?.serverId).toBe('slow');
    await closed;
    await expect(once(connect(address.port, address.host), 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it('cuts what has not ended within its grace', async () => {
    const address = await serve();
    const silent = connect(address.port, address.host);
    silent.on('error', () => undefined).resume();
    await once(silent, 'connect');
    await open[0]?.close({ graceMs: 20 });
    if (!silent.closed) await once(silent, 'close');
    expect(silent.closed).toBe(true);
  });

  it('cuts the stream of a reader that reads nothing', async () => {
    const { address, cut, over } = await serveEndless();
    const grpc = createGrpcTransport({ baseUrl: `http://${formatAddress(address)}` });
    const client = createClient(NodeService, grpc);
    const events = client.watchNodes({}, { headers, timeoutMs: 0 })[Symbol.asyncIterator]();
    await events.next();
    (await cut)();
    await over;
    const rest = async (): Promise<void> => {
      while ((await events.next()).done !== true);
    };
    await expect(rest()).rejects.toThrow(ConnectError);
  });
});

async function firstEvent(nodes: Client<typeof NodeService>): Promise<unknown> {
  for await (const { event } of nodes.watchNodes({}, { headers })) return event.value;
  return undefined;
}
