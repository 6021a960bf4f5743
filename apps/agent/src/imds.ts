import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import type { Environment } from '@tagplane/runtime';
import { DeadlineError, deadline } from '@tagplane/runtime';
import { rootMessageOf } from './errors.ts';
import { METADATA_MS, MetadataRefusedError, openMetadata } from './imds-session.ts';

/** What instance metadata answered. The reason is for a person. */
export type MetadataAnswer =
  | { readonly kind: 'found'; readonly instance: InstanceKey }
  | { readonly kind: 'none'; readonly reason: string };

/** The link-local address that every EC2 instance has for its metadata. */
const DEFAULT_ENDPOINT = 'http://169.254.169.254';
/** The document is about 500 bytes. */
export const IDENTITY_DOCUMENT = '/latest/dynamic/instance-identity/document';

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
  using limit = deadline(signal, METADATA_MS);
  try {
    const metadata = await openMetadata(endpoint, limit.signal);
    const { status, body } = await metadata.get(IDENTITY_DOCUMENT);
    if (status !== 200) throw new MetadataRefusedError(status);
    const instance = instanceIn(body.toString('utf8'));
    return instance === undefined ? none('it has no identity document') : { kind: 'found', instance };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return none(metadataProblem(error, limit.signal));
  }
}

/** Why instance metadata could not be asked, for a person. */
export function metadataProblem(error: unknown, signal: AbortSignal): string {
  if (signal.aborted && signal.reason instanceof DeadlineError) {
    return 'it did not answer: not on EC2, switched off, or in a container beyond its hop limit';
  }
  return error instanceof MetadataRefusedError
    ? error.message
    : `it cannot be reached: ${rootMessageOf(error)}`;
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

function none(reason: string): MetadataAnswer {
  return { kind: 'none', reason };
}
