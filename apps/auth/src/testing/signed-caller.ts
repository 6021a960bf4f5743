import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { sha256Hex } from '@tagplane/identity';

/** What an AWS client signs with. */
export interface TestKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface CallOptions {
  readonly nonce: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  readonly host?: string;
  /** Beside those that are always there. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly service?: string;
}

export const ANY_KEYS: TestKeys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'token',
};
export const STS_HOST = 'sts.eu-central-1.amazonaws.com';

/** All headers of a GetCallerIdentity, signed by the AWS SDK's own signer. */
export async function signCall(keys: TestKeys, options: CallOptions): Promise<Record<string, string>> {
  const { nonce, publicKey, host = STS_HOST, headers = {}, service = 'sts' } = options;
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new SignatureV4({
    region: 'eu-central-1',
    service,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    sha256: Sha256,
  });
  const signed = await signer.sign({
    ...{ method: 'POST', protocol: 'https:', hostname: host, path: '/' },
    headers: {
      host,
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-tagplane-nonce': nonce,
      'x-tagplane-key': sha256Hex(publicKey),
      ...headers,
    },
    body: options.body ?? 'Action=GetCallerIdentity&Version=2011-06-15',
  });
  return signed.headers;
}

interface Digester {
  update(data: string | Uint8Array): unknown;
  digest(): Buffer;
}

/** Node's hash in the form that the signer takes. */
class Sha256 {
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
