import { createHash, createHmac } from 'node:crypto';
import { sha256Hex } from '@tagplane/identity';

/** The one request that is signed, as AWS's own clients send it. */
const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface StsRequest {
  readonly host: string;
  readonly region: string;
  readonly keys: AwsKeys;
  readonly nonce: string;
  /** SubjectPublicKeyInfo in DER: what the signature vouches for. */
  readonly publicKey: Uint8Array;
  /** Unix milliseconds. Default: now. */
  readonly now?: number;
  /** Headers that are sent and not signed, or signed when they begin with `x-`. */
  readonly more?: Readonly<Record<string, string>>;
}

/**
 * Signs GetCallerIdentity (AWS Signature Version 4) with a nonce and a key among its signed headers.
 *
 * @returns all headers of the request, in lower case
 */
export function signStsRequest(request: StsRequest): Record<string, string> {
  const { host, region, keys, nonce, publicKey, now = Date.now() } = request;
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = {
    'content-length': String(BODY.length),
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    host,
    'x-amz-date': time,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
    'x-tagplane-key': sha256Hex(publicKey),
    'x-tagplane-nonce': nonce,
    ...request.more,
  };
  const signed = Object.keys(headers).sort();
  const canonical = [
    'POST',
    '/',
    '',
    ...signed.map((name) => `${name}:${headers[name] ?? ''}`),
    '',
    signed.join(';'),
    sha256Hex(Buffer.from(BODY)),
  ].join('\n');
  const scope = [time.slice(0, 8), region, 'sts', 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), hash(canonical)].join('\n');
  const key = scope.reduce<Buffer>(
    (previous, part) => hmac(previous, part),
    Buffer.from(`AWS4${keys.secretAccessKey}`),
  );
  const signature = hmac(key, toSign).toString('hex');
  const credential = `${keys.accessKeyId}/${scope.join('/')}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed.join(';')}, Signature=${signature}`,
  };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
