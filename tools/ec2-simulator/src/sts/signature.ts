import { createHash, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpExchange } from '../service.ts';
import { Sha256 } from './sha256.ts';
import type { AwsKeys } from './sts-control.ts';

const AUTHORIZATION =
  /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** When a request says that it was signed, in Unix milliseconds; NaN: it does not. */
export function signedAt(headers: HttpExchange['headers']): number {
  const [, year, month, day, hour, minute, second] = AMZ_DATE.exec(headers['x-amz-date'] ?? '') ?? [];
  if (year === undefined) return Number.NaN;
  return Date.parse(`${year}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
}

/** Whether these keys signed the request: it is signed once more, with the same headers at the same time. */
export async function isSignedWith(http: HttpExchange, keys: AwsKeys): Promise<boolean> {
  const [, region = '', service = '', list = '', signature] =
    AUTHORIZATION.exec(http.headers['authorization'] ?? '') ?? [];
  const names = list.split(';');
  if (signature === undefined || !names.includes('host') || !isOfBody(http)) return false;
  const signer = new SignatureV4({
    region,
    service,
    // The session token is among the headers, where it must be signed.
    credentials: { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey },
    sha256: Sha256,
    applyChecksum: false,
  });
  const headers = Object.fromEntries(names.map((name) => [name, http.headers[name] ?? '']));
  const { method, body, url } = http;
  const request = {
    method,
    protocol: 'https:',
    hostname: headers['host'] ?? '',
    path: url.pathname,
    headers,
    body,
  };
  const query = Object.fromEntries(url.searchParams);
  const signed = await signer.sign(
    { ...request, query },
    { signingDate: new Date(signedAt(http.headers)), signableHeaders: new Set(names) },
  );
  const [, , , , expected] = AUTHORIZATION.exec(signed.headers['authorization'] ?? '') ?? [];
  return expected !== undefined && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
}

/** The signer believes this header; it is the client's. */
function isOfBody({ headers, body }: HttpExchange): boolean {
  const claimed = headers['x-amz-content-sha256'];
  return claimed === undefined || claimed === createHash('sha256').update(body).digest('hex');
}
