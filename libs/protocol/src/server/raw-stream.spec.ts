import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatAddress, silentLogger } from '@tagplane/runtime';
import {
  ControlStreamRequestSchema,
  ControlStreamResponseSchema,
  InventoryService,
  PEER_HEADER,
} from '../index.ts';
import type { ControlStreamRequest, ControlStreamResponse } from '../index.ts';
import { createApiServer } from './api-server.ts';
import type { ApiServer } from './api-server.ts';
import { dataEnvelope } from './envelopes.ts';
import { rawMethod } from './raw-stream.ts';
import type { RawStream } from './raw-stream.ts';

const PATH = '/tagplane.v1.InventoryService/ControlStream';
const PLAIN = {
  ':method': 'POST',
  ':path': PATH,
  'content-type': 'application/connect+proto',
  [PEER_HEADER]: 'agent/s1',
};
let server: ApiServer;
let session: ClientHttp2Session;
let streams: RawStream<ControlStreamResponse>[];
let events: string[];
let calls: string[];

const ping = (nonce: string) =>
  create(ControlStreamResponseSchema, { message: { case: 'ping', value: { nonce } } });
const pong = (nonce: string): ControlStreamRequest =>
  create(ControlStreamRequestSchema, { message: { case: 'pong', value: { nonce } } });
const bytesOf = (message: ControlStreamRequest) =>
  dataEnvelope(toBinary(ControlStreamRequestSchema, message));

const echo = rawMethod(InventoryService.method.controlStream, (stream) => {
  if (stream.peer.name === 'unwanted') throw new ConnectError('not this one', Code.PermissionDenied);
  streams.push(stream);
  return {
    message({ message }) {
      if (message.case !== 'pong') throw new Error('the secret is 42');
      events.push(`message ${message.value.nonce}`);
      stream.send(ping(message.value.nonce));
    },
    requestsEnded() {
      events.push('requests ended');
      stream.close();
    },
    refused({ code }) {
      events.push(`refused ${codeToString(code)}`);
    },
    drain() {
      events.push('drain');
    },
    end() {
      events.push('end');
    },
  };
});

beforeEach(async () => {
  [streams, events, calls] = [[], [], []];
  server = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    log: silentLogger(),
    security: { mode: 'insecure' },
    authorise: (_method, peer) => {
      if (peer?.role === 'discovery') throw new ConnectError('not you', Code.PermissionDenied);
    },
    onCall: ({ method, code }) => calls.push(`${method} ${code}`),
    routes: (router) => {
      router.service(InventoryService, {
        controlStream: () => {
          throw new ConnectError('served by Connect', Code.Unimplemented);
        },
      });
    },
    rawMethods: [echo],
  });
  session = connect(`http://${formatAddress(server.address)}`);
});
afterEach(async () => {
  session.destroy();
  await server.close({ graceMs: 100 });
});

/** What the server answers to these bytes and the end of the requests. */
async function answer(headers: Record<string, string>, ...chunks: Buffer[]): Promise<string> {
  const stream: ClientHttp2Stream = session.request(headers);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  let body = '';
  for await (const chunk of stream) body += (chunk as Buffer).toString('latin1');
  return body;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a method on the stream itself', () => {
  it('speaks with a Connect client, and is reported once', async () => {
    const transport = createConnectTransport({
      baseUrl: `http://${formatAddress(server.address)}`,
      httpVersion: '2',
    });
    const client = createClient(InventoryService, transport);
    const requests = [pong('1'), pong('2')];
    const headers = { [PEER_HEADER]: 'agent/s1' };
    const nonces: unknown[] = [];
    const outgoing = async function* () {
      for (const request of requests) yield await Promise.resolve(request);
    };
    for await (const { message } of client.controlStream(outgoing(), { headers })) nonces.push(message.value);
    expect(nonces).toMatchObject([{ nonce: '1' }, { nonce: '2' }]);
    await until(() => events.includes('end'));
    expect(events).toEqual(['message 1', 'message 2', 'requests ended', 'end']);
    expect(calls).toEqual(['tagplane.v1.InventoryService/ControlStream ok']);
  });

  it.each([
    ['a peer without a name', { [PEER_HEADER]: '' }, 'unauthenticated'],
    ['a role that may not', { [PEER_HEADER]: 'discovery/d' }, 'permission_denied'],
    ['a peer that the handler refuses', { [PEER_HEADER]: 'agent/unwanted' }, 'permission_denied'],
  ])('refuses %s', async (_who, headers, code) => {
    expect(await answer({ ...PLAIN, ...headers }, bytesOf(pong('1')))).toContain(`"code":"${code}"`);
    expect([calls, events]).toEqual([[`tagplane.v1.InventoryService/ControlStream ${code}`], []]);
  });

  it.each([
    ['a message against the rules', bytesOf(pong('x'.repeat(100))), 'invalid_argument'],
    ['what is no message', dataEnvelope(Buffer.from([0xff])), 'invalid_argument'],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), 'invalid_argument'],
    ['half a message', Buffer.from([0, 0, 0]), 'invalid_argument'],
    ['a message too long', Buffer.from([0, 0xff, 0, 0, 0]), 'resource_exhausted'],
    ['an error of the handler', bytesOf(create(ControlStreamRequestSchema)), 'internal'],
  ])('ends with an error after %s', async (_what, chunk, code) => {
    const body = await answer(PLAIN, bytesOf(pong('1')), chunk);
    expect(body).toContain(`{"error":{"code":"${code}`);
    expect(body).not.toContain('secret');
    await until(() => events.includes('end'));
    // An error of the handler itself is not the peer's.
    const refused = code === 'internal' ? [] : [`refused ${code}`];
    expect(events).toEqual(['message 1', ...refused, 'end']);
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['JSON', { 'content-type': 'application/connect+json' }],
    ['compression', { 'connect-content-encoding': 'gzip' }],
    ['a deadline', { 'connect-timeout-ms': '10000' }],
  ])('leaves requests with %s to Connect', async (_what, headers) => {
    expect(await answer({ ...PLAIN, ...headers })).toContain('served by Connect');
  });

  it('says when the peer reads nothing, goes on when it does, and can be cut', async () => {
    const stream = session.request(PLAIN, { endStream: false });
    await until(() => streams.length > 0);
    const [raw] = streams;
    let sent = 0;
    while (raw?.send(ping('x'.repeat(1_000))) === true && sent < 10_000) sent += 1;
    expect(sent).toBeLessThan(200);
    stream.resume();
    await until(() => events.includes('drain'));
    stream.pause();
    raw?.destroy();
    stream.resume();
    await until(() => events.includes('end'));
    expect(calls).toEqual(['tagplane.v1.InventoryService/ControlStream canceled']);
    expect(raw?.send(ping('late'))).toBe(true);
  });

  it('is over when the peer goes away', async () => {
    session.request(PLAIN, { endStream: false }).on('error', () => undefined);
    await until(() => streams.length > 0);
    session.destroy();
    await until(() => events.includes('end'));
    expect([events, calls]).toEqual([['end'], ['tagplane.v1.InventoryService/ControlStream canceled']]);
  });
});
