/** HTTP/2 written by hand (RFC 9113), for what a polite client never sends. */

export const FRAME = {
  DATA: 0x0,
  HEADERS: 0x1,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PING: 0x6,
  GOAWAY: 0x7,
  CONTINUATION: 0x9,
} as const;

export const FLAG = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4 } as const;

const CANCEL = 0x8;
const HEADER_BYTES = 9;

/** The connection preface with empty settings: with it a client has said hello. */
export const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame({ type: FRAME.SETTINGS, stream: 0 }),
]);

export interface Frame {
  readonly type: number;
  readonly flags?: number;
  readonly stream: number;
  readonly payload?: Uint8Array;
}

export function frame({ type, flags = 0, stream, payload = Buffer.alloc(0) }: Frame): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export function pingFrame(number: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(number, 4);
  return frame({ type: FRAME.PING, stream: 0, payload });
}

/** SETTINGS_INITIAL_WINDOW_SIZE, another one each time: a server must apply and acknowledge it. */
export function settingsFrame(number: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(4, 0);
  payload.writeUInt32BE(65_535 + (number % 1_000), 2);
  return frame({ type: FRAME.SETTINGS, stream: 0, payload });
}

export function resetFrame(stream: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(CANCEL);
  return frame({ type: FRAME.RST_STREAM, stream, payload });
}

/** Literal fields that never enter the table, without Huffman codes (RFC 7541, 6.2.2): any decoder reads them. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]),
  );
}

/** The fields of a call, as Connect's clients send them. */
export function callHeaders(path: string, contentType: string): Record<string, string> {
  return {
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'tagplane',
    ':path': path,
    'content-type': contentType,
    'connect-protocol-version': '1',
  };
}

export function headersFrame(stream: number, block: Uint8Array, flags: number): Buffer {
  return frame({ type: FRAME.HEADERS, flags, stream, payload: block });
}

/** The error code of the first GOAWAY among what a server sent; undefined: there is none. */
export function goawayCode(bytes: Buffer): number | undefined {
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (bytes.readUInt8(at + 3) === FRAME.GOAWAY && payload.length >= 8) return payload.readUInt32BE(4);
    at += HEADER_BYTES + length;
  }
  return undefined;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([prefixed(bytes.length), bytes]);
}

/** An integer with a prefix of 7 bits (RFC 7541, 5.1). */
function prefixed(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.of(...bytes, rest);
}
