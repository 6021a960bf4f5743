import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../gen/grpc/health/v1/health_pb.ts';
import { NodeService } from '../index.ts';
import { healthRoutes } from './health.ts';

function start() {
  const state = { ready: false };
  const closing = new AbortController();
  const transport = createRouterTransport((router) => {
    healthRoutes(router, {
      ready: () => state.ready,
      services: [NodeService],
      closing: closing.signal,
      intervalMs: 5,
    });
  });
  return { state, closing, health: createClient(Health, transport) };
}

describe('grpc.health.v1', () => {
  it('says whether the process and its services can work', async () => {
    const { state, health } = start();
    expect((await health.check({})).status).toBe(Status.NOT_SERVING);
    state.ready = true;
    for (const service of ['', 'tagplane.v1.NodeService', 'grpc.health.v1.Health']) {
      expect((await health.check({ service })).status).toBe(Status.SERVING);
    }
  });

  it('knows no other service', async () => {
    const { health } = start();
    const error: unknown = await health.check({ service: 'other' }).catch((reason: unknown) => reason);
    expect(ConnectError.from(error).code).toBe(Code.NotFound);
    const first = await firstOf(health.watch({ service: 'other' }));
    expect(first?.status).toBe(Status.SERVICE_UNKNOWN);
  });

  it('tells a watcher at once, on each change, and at the end', async () => {
    const { state, closing, health } = start();
    const events = health.watch({})[Symbol.asyncIterator]();
    const next = async () => (await events.next()).value as { status: Status } | undefined;
    expect((await next())?.status).toBe(Status.NOT_SERVING);
    state.ready = true;
    expect((await next())?.status).toBe(Status.SERVING);
    closing.abort();
    expect((await next())?.status).toBe(Status.NOT_SERVING);
    expect(await next()).toBeUndefined();
  });
});

async function firstOf<Item>(items: AsyncIterable<Item>): Promise<Item | undefined> {
  for await (const item of items) return item;
  return undefined;
}
