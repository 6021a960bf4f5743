import type { ClientHttp2Stream } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { openSession } from './client.ts';
import type { Dial } from './sockets.ts';

export interface RawCall {
  /** Such as `/tagplane.v1.StatusService/GetStatus`. */
  readonly path: string;
  /** `application/proto` for a unary call, `application/connect+proto` for a stream. */
  readonly contentType: string;
  /** Pieces of the body; sent as fast as the service takes them, until it ends the call. */
  readonly body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Bytes of the body that were handed to the connection. */
  readonly sent: number;
}

/** How long the rest of a body is still offered to a service that has answered already. */
const PUSHING_MS = 1_000;

/** Bytes of one's own choice instead of a message, over HTTP/2. The answer must come within the time. */
export async function rawCall(dial: Dial, call: RawCall, timeoutMs = 60_000): Promise<RawAnswer> {
  const session = openSession(dial);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      'content-type': call.contentType,
      'connect-protocol-version': '1',
      ...call.headers,
    });
    stream.on('error', () => undefined);
    let status = 0;
    stream.once('response', (headers) => {
      status = headers[':status'] ?? 0;
    });
    const read: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => read.push(chunk));
    const answered = Promise.withResolvers<undefined>();
    stream.once('end', answered.resolve).once('close', answered.resolve);
    session.setTimeout(timeoutMs, () => {
      answered.reject(new Error(`no answer within ${timeoutMs} ms`));
    });
    const pushing = push(stream, call.body);
    await answered.promise;
    const sent = await Promise.race([pushing.done, delay(PUSHING_MS).then(() => pushing.sent())]);
    return { status, body: Buffer.concat(read), sent };
  } finally {
    session.destroy();
  }
}

/** Sends as fast as the other side takes it, whatever it answers. */
function push(
  stream: ClientHttp2Stream,
  body: RawCall['body'],
): { readonly done: Promise<number>; readonly sent: () => number } {
  let sent = 0;
  let wake: (() => void) | undefined;
  for (const event of ['drain', 'close']) stream.on(event, () => wake?.());
  const run = async (): Promise<number> => {
    for await (const chunk of body) {
      if (!stream.writable) return sent;
      const more = stream.write(chunk);
      sent += chunk.length;
      if (more) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    stream.end();
    return sent;
  };
  return { done: run(), sent: () => sent };
}

/** One message of a stream: a byte of flags and four of length before it. */
export function envelope(message: Uint8Array, flags = 0): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
