import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Address } from '@tagplane/runtime';
import type { TestCertificate } from './test-authority.ts';

/** Who connects, and how; without a certificate, nobody. */
export interface RawClientOptions {
  readonly certificate?: TestCertificate;
  readonly tls?: ConnectionOptions;
}

/** TLS to whatever is there, without a look at who it is, ALPN `h2`; errors of the connection are kept. */
export async function openRawClient(address: Address, options: RawClientOptions = {}): Promise<RawClient> {
  const { certificate } = options;
  const socket = connect({
    host: address.host,
    port: address.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...(certificate && { cert: certificate.certificates.join('\n'), key: certificate.privateKey }),
    ...options.tls,
  });
  await once(socket, 'secureConnect');
  return new RawClient(socket);
}

/** One HTTP/2 frame as it was received. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Types of frames (RFC 9113, 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;

/** Writes any bytes it is told to: for clients that do not keep to the protocol. */
export class RawClient implements Disposable {
  readonly socket: TLSSocket;
  readonly frames: RawFrame[] = [];
  readonly closed: Promise<void>;
  #unread = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
    socket
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => {
        this.#read(chunk);
      });
  }

  /** The client's half of HTTP/2's beginning. */
  greet(): void {
    this.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    this.send(FRAME.settings, 0, 0);
  }

  send(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): void {
    this.socket.write(frameOf(type, flags, stream, payload));
  }

  /** Sends the same again and again, a hundred at a time, until the connection has ended. */
  async flood(limit: number, make: (turn: number) => Uint8Array): Promise<number> {
    let sent = 0;
    while (sent < limit && this.socket.writable && !this.socket.readableEnded) {
      const end = Math.min(limit, sent + 100);
      const chunks: Uint8Array[] = [];
      for (; sent < end; sent += 1) chunks.push(make(sent));
      this.socket.write(Buffer.concat(chunks));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return sent;
  }

  /** Code and text of the GOAWAY frames so far. */
  get goaways(): { readonly code: number; readonly text: string }[] {
    return this.frames
      .filter(({ type }) => type === FRAME.goaway)
      .map(({ payload }) => ({ code: payload.readUInt32BE(4), text: payload.subarray(8).toString() }));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 9) {
      const end = 9 + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) return;
      const [type, flags] = [this.#unread.readUInt8(3), this.#unread.readUInt8(4)];
      const stream = this.#unread.readUInt32BE(5);
      this.frames.push({ type, flags, stream, payload: this.#unread.subarray(9, end) });
      this.#unread = this.#unread.subarray(end);
    }
  }
}

export function frameOf(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(9 + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(stream, 5);
  frame.set(payload, 9);
  return frame;
}

/** `POST` of this path in HPACK (RFC 7541), with further headers as they are. */
export function requestBlock(path: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  // From the static table: `:method: POST` is 3, `:scheme: https` 7, the names `:path` 4, `:authority` 1.
  const start = [Buffer.from([0x83, 0x87, 0x44]), hpackText(path), Buffer.from([0x41]), hpackText('test')];
  const more = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0x40]),
    hpackText(name),
    hpackText(value),
  ]);
  return Buffer.concat([...start, ...more]);
}

/** Length with a prefix of seven bits, then the text as it is. */
function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
