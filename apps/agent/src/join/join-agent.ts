import type { Credentials } from '@tagplane/credentials';
import { JoinRefusedError, readCaPins } from '@tagplane/credentials';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import type { JoinChallenge, JoinMethod } from '@tagplane/protocol';
import { attemptToJoin } from '@tagplane/protocol';
import type { Address, Environment } from '@tagplane/runtime';
import { certificateProblem, certifiedBy } from '../certified.ts';
import { ec2Proof } from './ec2.ts';
import { iamProof } from './iam.ts';
import type { JoinBy, JoinSettings } from './settings.ts';
import { tokenProof } from './token.ts';

export interface JoinAgentOptions {
  readonly join: JoinSettings;
  readonly address: Address;
  /** The server id to be had; undefined: the auth service gives one. */
  readonly configuredId: ServerId | undefined;
  /** The instance this is, known otherwise than by a certificate. */
  readonly instance: InstanceKey | undefined;
  /** For the variables of AWS's own tools. */
  readonly env: Environment;
}

/**
 * One attempt to join as an agent.
 *
 * @throws JoinRefusedError when another will not do better; Error when there is no proof, or no auth service
 */
export async function joinAgent(options: JoinAgentOptions, signal: AbortSignal): Promise<Credentials> {
  const { join, address, configuredId, instance } = options;
  const credentials = await attemptToJoin({
    address,
    pins: await readCaPins(join),
    role: 'agent',
    ...(configuredId === undefined ? {} : { name: configuredId }),
    prove: (challenge) => prove(join.by, challenge, options, signal),
    signal,
  });
  const problem = certificateProblem(certifiedBy(credentials), { configuredId, instance });
  if (problem !== undefined) throw new JoinRefusedError(problem);
  return credentials;
}

async function prove(
  by: JoinBy,
  challenge: JoinChallenge,
  { env, instance }: JoinAgentOptions,
  signal: AbortSignal,
): Promise<JoinMethod> {
  switch (by.method) {
    case 'token':
      return await tokenProof(by);
    case 'iam':
      return await iamProof(by, challenge, { env, instance, signal });
    case 'ec2':
      return await ec2Proof(env, signal);
  }
}
