// The limit of PUSH: node:http2 with the Connect protocol's five-byte envelopes written by hand.
// With the file of a `TlsFleet` as its argument, the limit of TLS: the same over mutual TLS.
import { createSecureServer, createServer } from 'node:http2';
import type { Http2SecureServer, Http2Server, ServerHttp2Stream } from 'node:http2';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ControlStreamRequestSchema, ControlStreamResponseSchema } from '@tagplane/protocol';
import type { ControlStreamResponse } from '@tagplane/protocol';
import { serveBarePushes } from '../bare-server.ts';
import { authHello, updateLabels } from '../messages.ts';
import { bareTlsOptions } from '../tls/bare-options.ts';
import { readFleet } from '../tls/fleet.ts';
import { workerArgument } from '../worker.ts';

const HEADER = 5;

function envelope(message: ControlStreamResponse): Buffer {
  const body = toBinary(ControlStreamResponseSchema, message);
  const frame = Buffer.allocUnsafe(HEADER + body.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, HEADER);
  return frame;
}

function bareServer(): Http2Server | Http2SecureServer {
  const fleetFile = workerArgument() as string | null;
  return fleetFile === null ? createServer() : createSecureServer(bareTlsOptions(readFleet(fleetFile)));
}

await serveBarePushes((streams, onAck) => {
  const server = bareServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/connect+proto' });
    let rest: Buffer = Buffer.alloc(0);
    stream.on('error', () => {
      stream.close();
    });
    stream.on('data', (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER && rest.length >= HEADER + rest.readUInt32BE(1)) {
        const end = HEADER + rest.readUInt32BE(1);
        const { message } = fromBinary(ControlStreamRequestSchema, rest.subarray(HEADER, end));
        rest = rest.subarray(end);
        if (message.case === 'labelsAck') onAck();
        if (message.case !== 'hello') continue;
        const index = Number(message.value.serverId.split('-')[1]);
        streams.set(index, (generation) => stream.write(envelope(updateLabels(index, generation))));
        stream.write(envelope(authHello()));
      }
    });
  });
  return server;
});
