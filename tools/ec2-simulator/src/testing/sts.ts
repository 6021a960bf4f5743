import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../sts/sha256.ts';
import type { AwsKeys } from '../sts/sts-control.ts';

export const SIMULATED_NOW = Date.parse('2026-11-22T12:00:00Z');
const GET_CALLER_IDENTITY = 'Action=GetCallerIdentity&Version=2011-06-15';

export interface SignOptions {
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly at?: number;
}

/** The headers of a GetCallerIdentity that the AWS SDK's own signer has signed. */
export async function signedHeaders(
  keys: AwsKeys,
  { host = 'sts.eu-central-1.amazonaws.com', headers = {}, at = SIMULATED_NOW }: SignOptions = {},
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new SignatureV4({
    region: 'eu-central-1',
    service: 'sts',
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    sha256: Sha256,
  });
  const signed = await signer.sign(
    {
      ...{ method: 'POST', protocol: 'https:', hostname: host, path: '/' },
      headers: { host, ...headers },
      body: GET_CALLER_IDENTITY,
    },
    { signingDate: new Date(at) },
  );
  return signed.headers;
}

/** Sends just these headers, `host` among them, to this address. */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body = GET_CALLER_IDENTITY,
): Promise<{ status: number | undefined; type: string | undefined; text: string }> {
  const request = httpRequest(url, { method: 'POST', headers, agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, type: response.headers['content-type'], text };
}
