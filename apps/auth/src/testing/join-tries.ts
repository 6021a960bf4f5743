import { Code, ConnectError } from '@connectrpc/connect';
import { createKey } from '@tagplane/credentials';
import type { Challenge, MethodInit, TestJoin } from './test-join.ts';
import type { Attempt } from './test-join.ts';
import { STS_HOST, signCall } from './signed-caller.ts';
import type { CallOptions, TestKeys } from './signed-caller.ts';

export interface IamTry extends Partial<Omit<Attempt, 'method'>> {
  readonly region?: string;
  /** What is signed otherwise than it should be. */
  readonly signed?: Partial<CallOptions>;
}

/** How a join by these keys ends: the identity, with its instance if it has one, or the refusal. */
export async function tryIam(joining: TestJoin, keys: TestKeys, options: IamTry = {}): Promise<string> {
  const { region = 'eu-central-1', signed = {}, key = createKey(), ...attempt } = options;
  const host = signed.host ?? STS_HOST;
  const method = async ({ nonce }: Challenge): Promise<MethodInit> => {
    const headers = await signCall(keys, { nonce, publicKey: key.publicKey, host, ...signed });
    return { case: 'iam', value: { host, headers, region } };
  };
  return await tryJoin(joining, { ...attempt, key, method });
}

export async function tryJoin(joining: TestJoin, attempt: Attempt): Promise<string> {
  try {
    const { identity, awsInstance } = await joining.join(attempt);
    return awsInstance === undefined
      ? identity
      : `${identity} on ${awsInstance.region}/${awsInstance.instanceId}`;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return `${Code[code]}: ${rawMessage}`;
  }
}
