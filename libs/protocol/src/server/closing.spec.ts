import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Address } from '@tagplane/runtime';
import { formatAddress } from '@tagplane/runtime';
import { cutOf } from '../cut.ts';
import { NodeService } from '../index.ts';
import { codeOf, headers, startSampleApi } from '../testing/sample-api.ts';
import type { ApiServer, ApiServerOptions } from './api-server.ts';

const open: ApiServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close({ graceMs: 100 });
});

async function serve(options: Partial<ApiServerOptions> = {}): Promise<Address> {
  const server = await startSampleApi(options);
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
