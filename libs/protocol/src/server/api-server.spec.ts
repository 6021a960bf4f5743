import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Address } from '@tagplane/runtime';
import { formatAddress } from '@tagplane/runtime';
import { upsertBatchRoute } from '../batch/upsert-batch.ts';
import {
  NodeService,
  PEER_HEADER,
  ServerInfoService,
  StatusService,
  UpsertServerInfosResponseSchema,
} from '../index.ts';
import { codeOf, headers, post, startSampleApi, transports } from '../testing/sample-api.ts';
import type { ApiServer, ApiServerOptions } from './api-server.ts';
import type { FinishedCall } from './call-boundary.ts';

const open: ApiServer[] = [];
const calls: FinishedCall[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close({ graceMs: 100 });
  calls.length = 0;
});

async function serve(options: Partial<ApiServerOptions> = {}): Promise<Address> {
  const server = await startSampleApi({ onCall: (call) => calls.push(call), ...options });
  open.push(server);
  return server.address;
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

async function firstEvent(nodes: Client<typeof NodeService>): Promise<unknown> {
  for await (const { event } of nodes.watchNodes({}, { headers })) return event.value;
  return undefined;
}
