import { parseXML } from '@aws-sdk/xml-builder';
import { parseAccountId, parseInstanceId } from '@tagplane/identity';
import type { AccountId, InstanceId } from '@tagplane/identity';
import { z } from 'zod';

/** Whom STS takes the caller for. */
export interface CallerIdentity {
  readonly account: AccountId;
  readonly arn: string;
  readonly userId: string;
}

/** What the ARN of an assumed role says. */
export interface AssumedRole {
  readonly partition: string;
  readonly account: string;
  /** The role's name, without its path. */
  readonly role: string;
  readonly session: string;
}

const answer = z.object({
  GetCallerIdentityResponse: z.object({
    GetCallerIdentityResult: z.object({
      Account: z.string(),
      Arn: z
        .string()
        .max(2_048)
        .regex(/^arn:[a-z-]+:(sts|iam)::[0-9]{12}:[!-~]+$/),
      UserId: z.string().max(256),
    }),
  }),
});

const errorCode = z.string().regex(/^[A-Za-z.]{1,64}$/);
const error = z.union([
  z.object({ ErrorResponse: z.object({ Error: z.object({ Code: errorCode }) }) }),
  z.object({ Error: z.object({ Code: errorCode }) }),
]);

/** Reads an answer of GetCallerIdentity, XML or JSON; undefined for anything else. */
export function readCallerIdentity(body: string): CallerIdentity | undefined {
  const result = answer.safeParse(parseBody(body));
  if (!result.success) return undefined;
  const { Account, Arn, UserId } = result.data.GetCallerIdentityResponse.GetCallerIdentityResult;
  const account = parseAccountId(Account);
  if (account === undefined || Arn.split(':')[4] !== account) return undefined;
  return { account, arn: Arn, userId: UserId };
}

/** The code of an error that STS answers with; undefined: it is none of STS. */
export function readErrorCode(body: string): string | undefined {
  const result = error.safeParse(parseBody(body));
  if (!result.success) return undefined;
  return 'Error' in result.data ? result.data.Error.Code : result.data.ErrorResponse.Error.Code;
}

function parseBody(body: string): unknown {
  try {
    return body.trimStart().startsWith('{') ? JSON.parse(body) : parseXML(body);
  } catch {
    return undefined;
  }
}

const ASSUMED_ROLE = /^arn:([a-z-]+):sts::([0-9]{12}):assumed-role\/([^/]+)\/([^/]+)$/;

/** Undefined for the ARN of anything else: a user, the root, a federated user. */
export function parseAssumedRole(arn: string): AssumedRole | undefined {
  const [, partition, account, role, session] = ASSUMED_ROLE.exec(arn) ?? [];
  if (partition === undefined || account === undefined || role === undefined || session === undefined)
    return undefined;
  return { partition, account, role, session };
}

export function partitionOf(arn: string): string {
  return arn.split(':')[1] ?? '';
}

/**
 * The instance whose own role this is (EC2 User Guide, "Instance identity roles"). No customer can have
 * a role of that name: a colon is not allowed in one. The session names of other roles are chosen by
 * whoever assumes them, so they prove nothing.
 */
export function instanceOfRole({ role, session }: AssumedRole): InstanceId | undefined {
  return role === 'aws:ec2-instance' ? parseInstanceId(session) : undefined;
}
