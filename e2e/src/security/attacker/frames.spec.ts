import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  FLAG,
  PREFACE,
  callHeaders,
  goawayCode,
  headerBlock,
  headersFrame,
  pingFrame,
  settingsFrame,
} from './frames.ts';

describe('frames written by hand', () => {
  it("are read by node's own server", async () => {
    const server = createServer();
    const seen = Promise.withResolvers<IncomingHttpHeaders>();
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      seen.resolve(headers);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const fields = { ...callHeaders('/a.B/C', 'application/proto'), long: 'x'.repeat(5_000) };
    socket.write(PREFACE);
    socket.write(Buffer.concat([settingsFrame(1), pingFrame(1)]));
    socket.write(headersFrame(1, headerBlock(fields), FLAG.END_HEADERS));
    expect(await seen.promise).toMatchObject(fields);
    const read: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => read.push(chunk));
    // A stream with an even number is the server's own: a connection error (RFC 9113, 5.1.1).
    socket.write(headersFrame(2, headerBlock(fields), FLAG.END_HEADERS));
    await once(socket, 'close');
    expect(goawayCode(Buffer.concat(read))).toBe(1);
    server.close();
    await once(server, 'close');
  });
});
