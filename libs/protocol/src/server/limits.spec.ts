import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Address } from '@tagplane/runtime';
import { ServerInfoService } from '../index.ts';
import { codeOf, headers, post, startSampleApi, transports } from '../testing/sample-api.ts';
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
