import type { Environment } from '@tagplane/runtime';
import { deadline } from '@tagplane/runtime';
import type { MetadataSession } from '../imds-session.ts';
import { METADATA_MS, openMetadata } from '../imds-session.ts';
import { metadataEndpoint, metadataProblem } from '../imds.ts';

/**
 * Asks instance metadata several things, within a second all together.
 *
 * @throws Error that says why it did not answer, for a person
 */
export async function withMetadata<Answer>(
  env: Environment,
  signal: AbortSignal,
  ask: (metadata: MetadataSession) => Promise<Answer>,
): Promise<Answer> {
  const endpoint = metadataEndpoint(env);
  if (endpoint === undefined) throw new Error('instance metadata: AWS_EC2_METADATA_DISABLED is set');
  using limit = deadline(signal, METADATA_MS);
  try {
    return await ask(await openMetadata(endpoint, limit.signal));
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`instance metadata: ${metadataProblem(error, limit.signal)}`, { cause: error });
  }
}
