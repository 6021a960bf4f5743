import { once } from 'node:events';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { openSession } from './client.ts';
import type { Dial } from './sockets.ts';

export interface RawCall {
  /** Such as `/tagplane.v1.StatusService/GetStatus`. */
  readonly path: string;
  /** `application/proto` for a unary call, `application/connect+proto` for a stream. */
  readonly contentType: string;
  /** Pieces of the body; sent as fast as the service takes them, until it ends the call. */
  readonly body: Iterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Bytes of the body that were handed to the connection. */
  readonly sent: number;
}

/** Bytes of one's own choice instead of a message, over HTTP/2. The answer must come within the time. */
export async function rawCall(dial: Dial, call: RawCall, timeoutMs = 30_000): Promise<RawAnswer> {
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
    stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
      status = headers[':status'] ?? 0;
    });
    const read: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => read.push(chunk));
    const closed = once(stream, 'close', { signal: AbortSignal.timeout(timeoutMs) });
    const sent = await send(stream, call.body);
    await closed;
    return { status, body: Buffer.concat(read), sent };
  } finally {
    session.destroy();
  }
}

async function send(stream: ClientHttp2Stream, body: Iterable<Uint8Array>): Promise<number> {
  let sent = 0;
  for (const chunk of body) {
    if (stream.destroyed || !stream.writable) return sent;
    const more = stream.write(chunk);
    sent += chunk.length;
    if (!more) await Promise.race([once(stream, 'drain'), once(stream, 'close')]).catch(() => undefined);
  }
  stream.end();
  return sent;
}

/** One message of a stream: a byte of flags and four of length before it. */
export function envelope(message: Uint8Array, flags = 0): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
