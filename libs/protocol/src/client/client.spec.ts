import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createClient } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import { createClientConnection } from './client.ts';
import { StatusService } from '../gen/tagplane/v1/status_pb.ts';

describe('createClientConnection', () => {
  it('to something that speaks no HTTP/2 fails the call, and nothing but the call', async () => {
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('SSH-2.0-x\r\n'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    using connection = createClientConnection({
      address: { host: '127.0.0.1', port },
      security: { mode: 'insecure', peer: { role: 'operator', name: 'tester', proof: 'claimed' } },
    });
    const status = createClient(StatusService, connection.transport);
    // An `error` event that nobody hears would fail this test from outside the call.
    for (let call = 0; call < 3; call += 1) {
      await expect(status.getStatus({})).rejects.toThrow(/Protocol error/);
    }
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
});
