import type { AwsCallErrorKind } from './call-error.ts';
import { BAD_CREDENTIALS, refusedCaller } from './call-error.ts';
import { badCredentials, fixFor } from './fixes.ts';

/** What of a role is told; the external id itself never is. */
interface RefusedRole {
  readonly roleArn: string;
  readonly externalId?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

interface Refusal {
  readonly kind: AwsCallErrorKind;
  readonly code: string;
  readonly region: string;
  /** The SDK's own error. */
  readonly cause: unknown;
}

/** What a person can do about a role that could not be assumed. */
export function roleFix(role: RefusedRole, refusal: Refusal): string {
  const { kind, code, region, cause } = refusal;
  if (BAD_CREDENTIALS.has(code)) return badCredentials({ code });
  if (kind === 'denied') return refused(role, cause);
  if (code === 'PackedPolicyTooLargeException' || code === 'PackedPolicyTooLarge') {
    return 'the session tags are too long together: shorten `assume_role.tags`';
  }
  if (code === 'ValidationError' || code === 'ValidationException') {
    return 'STS does not take the role as it is written: check `role_arn`, `external_id`, `session_name` and `tags` of `assume_role`';
  }
  const call = { service: 'STS', operation: 'AssumeRole', region, kind, code, cause };
  return fixFor(call) ?? 'see the code in the documentation of sts:AssumeRole';
}

/** AWS answers the same whether the role is not there, does not trust the caller, or the caller may not. */
function refused({ roleArn, externalId, tags }: RefusedRole, cause: unknown): string {
  const who = refusedCaller(cause) ?? 'the caller';
  const actions =
    Object.keys(tags ?? {}).length === 0 ? 'sts:AssumeRole' : 'sts:AssumeRole and sts:TagSession';
  const external =
    externalId === undefined
      ? 'if its trust policy asks for an external id, set `assume_role.external_id`'
      : 'the external id must equal the sts:ExternalId of its trust policy';
  return `check that the role exists, that its trust policy lets ${who} do ${actions}, and that ${who} is itself allowed sts:AssumeRole on ${roleArn}; ${external}`;
}
