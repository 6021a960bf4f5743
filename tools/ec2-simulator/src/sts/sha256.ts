import { createHash, createHmac } from 'node:crypto';

/** What `createHash` and `createHmac` have in common. */
interface Digester {
  update(data: string | Uint8Array): unknown;
  digest(): Buffer;
}

/** Node's hash in the form that the signer takes. */
export class Sha256 {
  readonly #hash: Digester;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', keyOf(secret));
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error('each hash is used once');
  }
}

function keyOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}
