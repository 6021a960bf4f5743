import { Code, ConnectError } from '@connectrpc/connect';
import { MAX_MESSAGE_BYTES } from '../limits.ts';

/** One byte of flags and four of length, then the message. */
const HEADER = 5;
const COMPRESSED = 1;
const END_STREAM = 2;
const NOTHING: Buffer = Buffer.alloc(0);

/** @throws ConnectError RESOURCE_EXHAUSTED when it is over `MAX_MESSAGE_BYTES` */
export function dataEnvelope(body: Uint8Array): Buffer {
  if (body.length > MAX_MESSAGE_BYTES) throw tooLong(body.length);
  return envelope(0, body);
}

/** The last envelope of a stream of answers. */
export function endEnvelope(trailer: object): Buffer {
  return envelope(END_STREAM, Buffer.from(JSON.stringify(trailer)));
}

function envelope(flags: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER + body.length);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(body.length, 1);
  bytes.set(body, HEADER);
  return bytes;
}

/** Finds the messages in a stream of requests; it holds less than one message and one chunk. */
export class EnvelopeReader {
  /** Its first `#length` bytes are the beginning of an envelope. */
  #buffer = NOTHING;
  #length = 0;

  /** Whether the stream may end here. */
  get complete(): boolean {
    return this.#length === 0;
  }

  /**
   * Calls `onMessage` for each message that this chunk completes.
   *
   * @throws ConnectError INVALID_ARGUMENT for flags that a request without compression does not have,
   * RESOURCE_EXHAUSTED for a message over `MAX_MESSAGE_BYTES`, before its bytes are kept. It cannot be
   * used any more then.
   */
  read(chunk: Buffer, onMessage: (body: Uint8Array) => void): void {
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const end = at + HEADER + bodyLength(bytes, at);
      if (end > bytes.length) break;
      onMessage(bytes.subarray(at + HEADER, end));
      at = end;
    }
    if (at === 0 && this.#length > 0) return;
    // A copy: a chunk may be a small part of a large piece of memory.
    this.#buffer = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
    this.#length = this.#buffer.length;
  }

  /** Room doubles, so that a message in many small chunks is not copied for each of them. */
  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
    return this.#buffer.subarray(0, length);
  }
}

function bodyLength(bytes: Buffer, at: number): number {
  const flags = bytes.readUInt8(at);
  if (flags !== 0) {
    const what = flags === COMPRESSED ? 'a compressed message' : `an envelope with the flags ${flags}`;
    throw new ConnectError(`${what} has no place in this stream`, Code.InvalidArgument);
  }
  const length = bytes.readUInt32BE(at + 1);
  if (length > MAX_MESSAGE_BYTES) throw tooLong(length);
  return length;
}

function tooLong(length: number): ConnectError {
  return new ConnectError(
    `a message of ${length} bytes is over the limit of ${MAX_MESSAGE_BYTES}`,
    Code.ResourceExhausted,
  );
}
