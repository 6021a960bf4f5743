import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { StatusService } from '../index.ts';
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  TestAuthority,
  frameOf,
  openRawClient,
  requestBlock,
  startTestServer,
  until,
} from '../testing/index.ts';
import type { RawClient, TestCertificate, TestServer, TestServerOptions } from '../testing/index.ts';

const PATH = '/tagplane.v1.StatusService/GetStatus';

let authority: TestAuthority;
let certificate: TestCertificate;
beforeAll(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue({ role: 'agent', name: 'web-1' });
});

async function serve(options: TestServerOptions = {}): Promise<TestServer> {
  return await startTestServer(authority, {
    routes: (router) => {
      router.service(StatusService, { getStatus: () => ({ authId: 'alive' }) });
    },
    ...options,
  });
}

/** Whether an honest client is served, on a connection of its own. */
async function isAlive({ address }: TestServer): Promise<boolean> {
  using client = await openRawClient(address, { certificate });
  client.greet();
  client.send(FRAME.headers, END_HEADERS, 1, requestBlock(PATH, { 'content-type': 'application/json' }));
  client.send(FRAME.data, END_STREAM, 1, Buffer.from('{}'));
  await until(() => client.frames.some(({ payload }) => payload.includes('alive')));
  return true;
}

function reasonsOf({ refusals }: TestServer): string[] {
  return refusals.map(({ reason }) => reason);
}

const open = requestBlock(PATH);
const floods: Record<string, (turn: number) => Buffer> = {
  pings: () => frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)),
  settings: () => frameOf(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100])),
  // CVE-2023-44487.
  'streams that are reset at once': (turn) =>
    Buffer.concat([
      frameOf(FRAME.headers, END_HEADERS, 2 * turn + 1, open),
      frameOf(FRAME.reset, 0, 2 * turn + 1, Buffer.from([0, 0, 0, 8])),
    ]),
  'streams that stay open': (turn) => frameOf(FRAME.headers, END_HEADERS, 2 * turn + 1, open),
  // CVE-2024-27316 and its likes.
  'headers without an end': (turn) =>
    turn === 0
      ? frameOf(FRAME.headers, 0, 1, open)
      : frameOf(FRAME.continuation, 0, 1, Buffer.from([0x40, 1, 0x61, 1, 0x62])),
  'data without a byte': (turn) =>
    turn === 0 ? frameOf(FRAME.headers, END_HEADERS, 1, open) : frameOf(FRAME.data, 0, 1, Buffer.alloc(0)),
  priorities: (turn) => frameOf(FRAME.priority, 0, 2 * turn + 1, Buffer.from([0, 0, 0, 0, 1])),
  'frames that nobody knows': () => frameOf(0x42, 0, 0, Buffer.alloc(8)),
};

describe('HTTP/2', () => {
  it.each(Object.entries(floods))('ends a flood of %s, and says so once', async (_name, make) => {
    await using server = await serve();
    using client = await openRawClient(server.address, { certificate });
    client.greet();
    const sent = await client.flood(20_000, make);
    await client.closed;
    expect(sent).toBeLessThan(20_000);
    expect(server.refusals).toMatchObject([
      { reason: 'protocol_abuse', remoteAddress: '127.0.0.1', id: 'spiffe://test/agent/web-1' },
    ]);
    expect(await isAlive(server)).toBe(true);
  });

  it('ends who floods it and reads nothing', async () => {
    await using server = await serve();
    using client = await openRawClient(server.address, { certificate });
    client.socket.pause();
    client.greet();
    await client.flood(20_000, () => frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)));
    await until(() => server.connections.size === 0);
    expect(reasonsOf(server)).toEqual(['protocol_abuse']);
  });

  it('lets a peer ping as often as peers do', async () => {
    await using server = await serve();
    using client = await openRawClient(server.address, { certificate });
    client.greet();
    for (let ping = 0; ping < 100; ping += 1) client.send(FRAME.ping, 0, 0, Buffer.alloc(8));
    const answers = () => client.frames.filter(({ type }) => type === FRAME.ping).length;
    await until(() => answers() === 100);
    expect([client.socket.closed, server.refusals]).toEqual([false, []]);
  });

  it('refuses headers over 16 KiB, on their stream alone', async () => {
    await using server = await serve();
    using client = await openRawClient(server.address, { certificate });
    client.greet();
    const headers = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`x-${index}`, 'v'.repeat(1_000)]),
    );
    const block = requestBlock(PATH, headers);
    client.send(FRAME.headers, END_STREAM, 1, block.subarray(0, 16_000));
    client.send(FRAME.continuation, END_HEADERS, 1, block.subarray(16_000));
    await until(() => client.frames.some(({ stream, payload }) => stream === 1 && payload.includes('431')));
    expect(client.socket.closed).toBe(false);
    expect(await isAlive(server)).toBe(true);
  });

  it('hangs up on what is no HTTP/2', async () => {
    await using server = await serve();
    using client = await openRawClient(server.address, { certificate });
    client.socket.write('SSH-2.0-OpenSSH_9.6\r\n and what else there is');
    await client.closed;
    expect(reasonsOf(server)).toEqual(['protocol_abuse']);
  });
});

describe('HTTP/1.1', () => {
  it.each([
    ['headers over 16 KiB', `X: ${'x'.repeat(17_000)}\r\n\r\n`, ' 431 ', ['protocol_abuse']],
    ['what is no header', 'no header\r\n\r\n', ' 400 ', []],
  ])('answers and hangs up on %s', async (_what, header, status, reasons) => {
    await using server = await serve();
    using client = await openRawClient(server.address, {
      certificate,
      tls: { ALPNProtocols: ['http/1.1'] },
    });
    let answer = '';
    client.socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    client.socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\n${header}`);
    await client.closed;
    expect(answer).toContain(status);
    expect(reasonsOf(server)).toEqual(reasons);
    expect(await isAlive(server)).toBe(true);
  });
});

describe('slowness', () => {
  const limits = { unidentifiedMs: 500, handshakeMs: 500 };

  it.each<[string, (client: RawClient) => void]>([
    ['says nothing', () => undefined],
    [
      'never ends its headers',
      (client) => {
        client.greet();
        client.send(FRAME.headers, 0, 1, open);
      },
    ],
    [
      'never ends its request',
      (client) => {
        client.greet();
        client.send(FRAME.headers, END_HEADERS, 1, open);
      },
    ],
  ])('over HTTP/2 without an identity has an end: a peer that %s', async (_what, act) => {
    await using server = await serve({ limits });
    using client = await openRawClient(server.address);
    act(client);
    await client.closed;
    expect(reasonsOf(server)).toEqual(['unidentified_timeout']);
  });

  it('over HTTP/1.1 without an identity has an end', async () => {
    await using server = await serve({ limits });
    using client = await openRawClient(server.address, { tls: { ALPNProtocols: ['http/1.1'] } });
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\n');
    for (let turn = 0; !client.socket.closed && turn < 1_000; turn += 1) {
      client.socket.write(`X-${turn}: y\r\n`);
      await delay(20);
    }
    await client.closed;
    expect(reasonsOf(server)).toEqual(['unidentified_timeout']);
  });

  it('of a handshake has an end, however alive it seems', async () => {
    await using server = await serve({ limits });
    const socket = await openTcp(server);
    // The beginning of a ClientHello that says it has 16 KB.
    const hello = [0x16, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3];
    for (let turn = 0; !socket.closed && turn < 1_000; turn += 1) {
      socket.write(Buffer.from([hello[turn] ?? 0]));
      await delay(20);
    }
    expect(socket.closed).toBe(true);
    expect(reasonsOf(server)).toEqual(['handshake_timeout']);
  });

  it('of a request has an end, on its stream alone', async () => {
    await using server = await serve({ requestMs: 50 });
    using client = await openRawClient(server.address, { certificate });
    client.greet();
    client.send(FRAME.headers, END_HEADERS, 1, requestBlock(PATH, { 'content-type': 'application/proto' }));
    await until(() => client.frames.some(({ type, stream }) => type === FRAME.reset && stream === 1));
    expect(client.socket.closed).toBe(false);
  });

  it('of the first bytes has an end where the handshake did not tell the protocol', async () => {
    await using server = await serve({ firstBytesMs: 50 });
    using client = await openRawClient(server.address, { certificate, tls: { ALPNProtocols: [] } });
    client.socket.write('PR');
    await client.closed;
    expect(reasonsOf(server)).toEqual(['handshake_timeout']);
  });

  it('of one peer is nothing to the others', async () => {
    await using server = await serve();
    using client = await openRawClient(server.address);
    client.greet();
    client.send(FRAME.headers, 0, 1, open);
    expect(await isAlive(server)).toBe(true);
  });
});

describe('numbers', () => {
  it('of half-open connections are bounded: the oldest give way', async () => {
    await using server = await serve({ limits: { unidentified: 20 } });
    const sockets: Socket[] = [];
    for (let count = 0; count < 30; count += 1) sockets.push(await openTcp(server));
    await until(() => server.refusals.length === 10 && sockets.filter(({ closed }) => closed).length === 10);
    expect(sockets.map(({ closed }) => closed)).toEqual(sockets.map((_, index) => index < 10));
    expect(new Set(reasonsOf(server))).toEqual(new Set(['unidentified_limit']));
    expect(await isAlive(server)).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  it('of handshakes are bounded, for an address and for all', async () => {
    for (const [limits, reason] of [
      [{ handshakesPerAddress: 1 }, 'address_rate'],
      [{ handshakesPerSecond: 10 }, 'handshake_rate'],
    ] as const) {
      await using server = await serve({ limits });
      const sockets: Socket[] = [];
      // The burst is ten either way; what trickles in while this loop runs is little.
      for (let count = 0; count < 200; count += 1) sockets.push(await openTcp(server));
      await until(() => reasonsOf(server).filter((each) => each === reason).length > 100);
      await until(() => sockets.filter(({ closed }) => closed).length > 100);
      for (const socket of sockets) socket.destroy();
    }
  });

  it('of connections are bounded, in all and for one identity', async () => {
    await using server = await serve({ maxConnections: 3, limits: { perIdentity: 2 } });
    using one = await openRawClient(server.address, { certificate });
    using two = await openRawClient(server.address, { certificate });
    using three = await openRawClient(server.address, { certificate });
    await three.closed;
    expect(server.refusals).toMatchObject([{ reason: 'identity_limit', id: 'spiffe://test/agent/web-1' }]);
    await until(() => server.connections.size === 2);
    using other = await openRawClient(server.address);
    await expect(openRawClient(server.address)).rejects.toThrow();
    expect(reasonsOf(server)).toEqual(['identity_limit', 'connection_limit']);
    expect([one, two, other].map(({ socket }) => socket.closed)).toEqual([false, false, false]);
  });
});

async function openTcp({ address }: TestServer): Promise<Socket> {
  const socket = connect(address.port, address.host);
  socket.on('error', () => undefined).resume();
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}
