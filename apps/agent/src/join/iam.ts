import type { InstanceKey, Region } from '@tagplane/identity';
import { parseRegion, sha256Hex } from '@tagplane/identity';
import type { JoinChallenge, JoinMethod } from '@tagplane/protocol';
import type { Environment } from '@tagplane/runtime';
import { errorMessage } from '@tagplane/runtime';
import { chainKeys, instanceKeys, metadataRegion } from './aws-keys.ts';
import type { AwsKeys } from './aws-keys.ts';
import type { JoinBy } from './settings.ts';
import { signForm } from './sigv4.ts';
import { stsHost } from './sts-host.ts';

type ByIam = Extract<JoinBy, { method: 'iam' }>;

export interface IamContext {
  readonly env: Environment;
  /** The instance this is, as far as is known. */
  readonly instance: InstanceKey | undefined;
  readonly signal: AbortSignal;
}

const GET_CALLER_IDENTITY = 'Action=GetCallerIdentity&Version=2011-06-15';

/**
 * A signed request by which STS tells whoever sends it whose keys signed it. The challenge's nonce and the
 * key to be certified are signed with it, so it is good for nothing else.
 *
 * @throws Error when there are no AWS credentials, or no region
 */
export async function iamProof(
  by: ByIam,
  challenge: JoinChallenge,
  context: IamContext,
): Promise<JoinMethod> {
  const keys = await keysFor(by.credentials, context);
  const region = await regionOf(by, context);
  const host = stsHost(region);
  const headers = await signForm(
    {
      host,
      region,
      service: 'sts',
      body: GET_CALLER_IDENTITY,
      headers: { 'x-tagplane-nonce': challenge.nonce, 'x-tagplane-key': sha256Hex(challenge.publicKey) },
    },
    keys,
  );
  return { case: 'iam', value: { host, headers, region: context.instance?.region ?? region } };
}

async function keysFor(which: ByIam['credentials'], { env, signal }: IamContext): Promise<AwsKeys> {
  if (which === 'chain') return await chainKeys();
  try {
    return await instanceKeys(env, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (which === 'instance') throw error;
    try {
      return await chainKeys();
    } catch (chainError) {
      const reasons = `${errorMessage(error)}; ${errorMessage(chainError)}`;
      throw new Error(`no AWS credentials to sign with: ${reasons}`, { cause: chainError });
    }
  }
}

async function regionOf(by: ByIam, { env, instance, signal }: IamContext): Promise<Region> {
  const known = by.region ?? instance?.region;
  if (known !== undefined) return known;
  const text = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? (await metadataRegion(env, signal)) ?? '';
  const region = parseRegion(text);
  if (region === undefined) throw new Error('no region for STS: set join.iam.region or AWS_REGION');
  return region;
}
