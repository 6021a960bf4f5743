/** What a test certificate says; nothing in it is signed by anybody. */
export interface Encoded {
  readonly algorithm: string;
  /** How many strings make up its key. */
  readonly keyFields: number;
  readonly serial: bigint;
  /** 1: user, 2: host. */
  readonly type: number;
  readonly keyId: string;
  readonly principals: readonly string[];
  readonly criticalOptions: readonly (readonly [string, Buffer])[];
  readonly extensions: readonly (readonly [string, Buffer])[];
  readonly tail: Buffer;
}

export const PLAIN: Encoded = {
  algorithm: 'ssh-ed25519-cert-v01@openssh.com',
  keyFields: 1,
  serial: 1n,
  type: 1,
  keyId: 'alice',
  principals: ['dev'],
  criticalOptions: [],
  extensions: [],
  tail: Buffer.alloc(0),
};

/** The base64 of a certificate like {@link PLAIN}, but for these parts. */
export function encodeCertificate(parts: Partial<Encoded>): string {
  const all = { ...PLAIN, ...parts };
  const option = ([name, value]: readonly [string, Buffer]): Buffer =>
    Buffer.concat([text(name), string(value)]);
  return Buffer.concat([
    text(all.algorithm),
    string(Buffer.alloc(32, 1)),
    ...Array.from({ length: all.keyFields }, () => string(Buffer.alloc(32, 2))),
    uint64(all.serial),
    uint32(all.type),
    text(all.keyId),
    string(Buffer.concat(all.principals.map(text))),
    uint64(0n),
    uint64(2n ** 64n - 1n),
    string(Buffer.concat(all.criticalOptions.map(option))),
    string(Buffer.concat(all.extensions.map(option))),
    text(''),
    string(Buffer.alloc(51, 3)),
    string(Buffer.alloc(83, 4)),
    all.tail,
  ]).toString('base64');
}

/** The extension that carries this text, as ssh-keygen writes it: a string within a string. */
export function extension(name: string, value: string): readonly [string, Buffer] {
  return [name, text(value)];
}

function text(value: string): Buffer {
  return string(Buffer.from(value, 'utf8'));
}

function string(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
