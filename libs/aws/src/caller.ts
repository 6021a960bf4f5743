import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { parseAccountId } from '@tagplane/identity';
import type { AccountId } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import { AwsCallError } from './call-error.ts';
import type { AwsCallOptions } from './client.ts';
import { callAws, clientSettings } from './client.ts';

const MAX_ATTEMPTS = 3;

/**
 * The account that credentials belong to. Needs no permission.
 *
 * @throws AwsCallError, or a RoleError
 */
export async function callerAccount(options: AwsCallOptions, signal: AbortSignal): Promise<AccountId> {
  const client = new STSClient(clientSettings(options, { maxAttempts: MAX_ATTEMPTS, connections: 1 }));
  const call = { service: 'STS', operation: 'GetCallerIdentity', region: options.region };
  try {
    const { Account } = await callAws(call, { signal, timeoutMs: MINUTE }, (abortSignal) =>
      client.send(new GetCallerIdentityCommand({}), { abortSignal }),
    );
    const account = parseAccountId(Account ?? '');
    if (account === undefined) throw new AwsCallError({ ...call, kind: 'other', code: 'MalformedResponse' });
    return account;
  } finally {
    client.destroy();
  }
}
