import { createHash, createHmac } from 'node:crypto';
import type { AwsKeys } from './aws-keys.ts';

/** A POST of a form to `/`. */
export interface FormRequest {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly body: string;
  /** To be signed with the rest; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Signs the request (AWS Signature Version 4).
 *
 * @param now default: this machine's clock
 * @returns all its headers, names in lower case; each of them is signed
 */
export async function signForm(
  request: FormRequest,
  keys: AwsKeys,
  now = new Date(),
): Promise<Record<string, string>> {
  // Only here, so that agents which join otherwise do not load it.
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const { host, region, service, body, headers } = request;
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new SignatureV4({
    region,
    service,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    sha256: Sha256,
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: host,
      path: '/',
      headers: { ...headers, host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body,
    },
    { signingDate: now },
  );
  return Object.fromEntries(
    Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** What `createHash` and `createHmac` have in common. */
interface Digester {
  update(data: string | Uint8Array): unknown;
  digest(): Buffer;
}

/** Node's own SHA-256, plain or keyed, in the form that the signer takes. */
class Sha256 {
  readonly #secret: string | ArrayBuffer | ArrayBufferView | undefined;
  #hash: Digester;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.#hash = start(secret);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = start(this.#secret);
  }
}

function start(secret: string | ArrayBuffer | ArrayBufferView | undefined): Digester {
  if (secret === undefined) return createHash('sha256');
  const key =
    typeof secret === 'string'
      ? secret
      : ArrayBuffer.isView(secret)
        ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
        : new Uint8Array(secret);
  return createHmac('sha256', key);
}
