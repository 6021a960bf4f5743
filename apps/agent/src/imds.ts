import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import type { Environment } from '@tagplane/runtime';
import { DeadlineError, SECOND, deadline } from '@tagplane/runtime';
import { rootMessageOf } from './errors.ts';

/** What instance metadata answered. The reason is for a person. */
export type MetadataAnswer =
  | { readonly kind: 'found'; readonly instance: InstanceKey }
  | { readonly kind: 'none'; readonly reason: string };

/** The link-local address that every EC2 instance has for its metadata. */
const DEFAULT_ENDPOINT = 'http://169.254.169.254';
/** Answers come from the hypervisor within milliseconds; off EC2, or past the hop limit, none comes. */
const ATTEMPT_MS = SECOND;
/** The token is for one request that follows at once. */
const TOKEN_TTL_SECONDS = 60;
/** The document is about 500 bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Where to ask, by the variables that AWS's own tools have; undefined when asking is switched off. */
export function metadataEndpoint(env: Environment): string | undefined {
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined;
  const endpoint = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  return endpoint === undefined || endpoint === '' ? DEFAULT_ENDPOINT : endpoint.replace(/\/+$/, '');
}

/**
 * Asks for the instance identity document, by IMDSv2 only, within a second.
 *
 * @throws the signal's reason when it aborts
 */
export async function askMetadata(endpoint: string, signal: AbortSignal): Promise<MetadataAnswer> {
  using limit = deadline(signal, ATTEMPT_MS);
  try {
    const token = await request(`${endpoint}/latest/api/token`, limit.signal, 'PUT', {
      'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS),
    });
    if (token.status !== 200) return none(refusal(token.status));
    const document = await request(
      `${endpoint}/latest/dynamic/instance-identity/document`,
      limit.signal,
      'GET',
      { 'x-aws-ec2-metadata-token': token.body },
    );
    if (document.status !== 200) return none(refusal(document.status));
    const instance = instanceIn(document.body);
    return instance === undefined ? none('it has no identity document') : { kind: 'found', instance };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return none(problemOf(error, limit.signal));
  }
}

async function request(
  url: string,
  signal: AbortSignal,
  method: string,
  headers: Record<string, string>,
): Promise<{ readonly status: number; readonly body: string }> {
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
  return { status: response.status, body: Buffer.concat(parts).toString('utf8') };
}

function instanceIn(document: string): InstanceKey | undefined {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { accountId, region, instanceId } = value as Record<string, unknown>;
  if (typeof accountId !== 'string' || typeof region !== 'string' || typeof instanceId !== 'string') {
    return undefined;
  }
  return parseInstanceKey({ account: accountId, region, instance: instanceId });
}

function refusal(status: number): string {
  if (status === 403) return 'it is switched off for this instance (403)';
  if (status === 404) return 'it has no such document (404)';
  return `it answered ${status}`;
}

function problemOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted && signal.reason instanceof DeadlineError) {
    return 'it did not answer: not on EC2, switched off, or in a container beyond its hop limit';
  }
  return `it cannot be reached: ${rootMessageOf(error)}`;
}

function none(reason: string): MetadataAnswer {
  return { kind: 'none', reason };
}
