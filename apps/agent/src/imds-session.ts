import { SECOND } from '@tagplane/runtime';

/** Answers come from the hypervisor within milliseconds; off EC2, or past the hop limit, none comes. */
export const METADATA_MS = SECOND;
/** The token is for requests that follow at once. */
const TOKEN_TTL_SECONDS = 60;
/** The longest answer, a PKCS#7 structure, is some 2 KiB. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface MetadataResponse {
  readonly status: number;
  readonly body: Buffer;
}

/** Instance metadata, by IMDSv2. */
export interface MetadataSession {
  /** @param path such as `/latest/dynamic/instance-identity/document` */
  get(path: string): Promise<MetadataResponse>;
}

/** It answered, but not with what was asked for. The message is for a person. */
export class MetadataRefusedError extends Error {
  override readonly name = 'MetadataRefusedError';

  constructor(status: number) {
    super(refusal(status));
  }
}

/** @throws MetadataRefusedError when it gives no token; TypeError when it cannot be reached */
export async function openMetadata(endpoint: string, signal: AbortSignal): Promise<MetadataSession> {
  const token = await request(`${endpoint}/latest/api/token`, signal, 'PUT', {
    'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS),
  });
  if (token.status !== 200) throw new MetadataRefusedError(token.status);
  const headers = { 'x-aws-ec2-metadata-token': token.body.toString('utf8') };
  return { get: (path) => request(`${endpoint}${path}`, signal, 'GET', headers) };
}

async function request(
  url: string,
  signal: AbortSignal,
  method: string,
  headers: Record<string, string>,
): Promise<MetadataResponse> {
  // A redirect would hand the token to whoever it points at.
  const response = await fetch(url, { method, headers, signal, redirect: 'error' });
  const parts: Uint8Array[] = [];
  let size = 0;
  // The stream's type does not say that fetch yields bytes only.
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    parts.push(part);
  }
  return { status: response.status, body: Buffer.concat(parts) };
}

function refusal(status: number): string {
  if (status === 403) return 'it is switched off for this instance (403)';
  if (status === 404) return 'it has no such document (404)';
  return `it answered ${status}`;
}
