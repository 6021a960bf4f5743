import type { RunningSimulator } from '../simulator.ts';

/** What the AWS SDK's clients of the simulator are made with; they never retry, so that each error is seen. */
export function clientOptions(
  simulator: Pick<RunningSimulator, 'url'>,
  keys: Keys = ANY,
  region = 'eu-central-1',
) {
  return { region, endpoint: simulator.url, credentials: keys, maxAttempts: 1 };
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const ANY: Keys = { accessKeyId: 'any', secretAccessKey: 'any' };

/** The credentials in an answer of AssumeRole. */
export function keysOf(answer: {
  readonly Credentials?:
    | {
        readonly AccessKeyId: string | undefined;
        readonly SecretAccessKey: string | undefined;
        readonly SessionToken: string | undefined;
      }
    | undefined;
}): Keys {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}
