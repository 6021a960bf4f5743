import type { Environment } from '@tagplane/runtime';
import * as z from 'zod';
import { MetadataRefusedError } from '../imds-session.ts';
import { withMetadata } from './metadata.ts';

/** What an AWS request is signed with. The last two are secrets. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/**
 * Keys of the role that every instance has, `aws:ec2-instance`: with these, STS says which instance it is
 * (EC2 User Guide, "Instance identity roles").
 */
const INSTANCE_KEYS = '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance';
const REGION = '/latest/meta-data/placement/region';

const answer = z.object({
  Code: z.literal('Success'),
  AccessKeyId: z.string(),
  SecretAccessKey: z.string(),
  Token: z.string(),
});

/** @throws Error that says why there are none */
export async function instanceKeys(env: Environment, signal: AbortSignal): Promise<AwsKeys> {
  const body = await withMetadata(env, signal, async (metadata) => {
    const response = await metadata.get(INSTANCE_KEYS);
    if (response.status !== 200) throw new MetadataRefusedError(response.status);
    return response.body;
  });
  const { AccessKeyId, SecretAccessKey, Token } = parse(body);
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
}

/** Keys from where AWS's own tools find them: variables, files, a web identity, a container, an instance profile. */
export async function chainKeys(): Promise<AwsKeys> {
  // Only here, so that agents which join otherwise do not load it.
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return await defaultProvider()();
}

/** Where instance metadata says that this is; undefined when it does not say. */
export async function metadataRegion(env: Environment, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { status, body } = await withMetadata(env, signal, (metadata) => metadata.get(REGION));
    return status === 200 ? body.toString('utf8').trim() : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function parse(body: Buffer): z.output<typeof answer> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's message quotes the keys.
    value = undefined;
  }
  const result = answer.safeParse(value);
  if (!result.success) throw new Error('instance metadata has no keys of the instance-identity role');
  return result.data;
}
