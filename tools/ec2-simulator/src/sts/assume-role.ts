import { AwsError } from '../aws-error.ts';
import { parseRoleArn, isTrusted, HOUR_S } from '../estate/role.ts';
import type { SimRole } from '../estate/role.ts';
import type { Estate } from '../estate/estate.ts';
import { hashText, hexOf } from '../fleet/random.ts';
import { listOf } from '../ec2/parameters.ts';
import type { StsControl, StsCredentials, StsIdentity } from './sts-control.ts';

/** AssumeRole's own bounds (STS API reference). */
const MIN_DURATION_S = 15 * 60;
const MAX_DURATION_S = 12 * HOUR_S;
const MAX_TAGS = 50;

export interface AssumeContext {
  readonly estate: Estate;
  readonly sts: StsControl;
  readonly now: number;
  /** Ends sessions earlier than asked for, in milliseconds. */
  readonly sessionTtlMs: number | undefined;
}

/** Credentials of a role for a caller that it trusts. Throws AwsError as STS says it. */
export function assumeRole(
  parameters: URLSearchParams,
  caller: StsIdentity,
  { estate, sts, now, sessionTtlMs = Infinity }: AssumeContext,
): StsCredentials {
  const arn = parameters.get('RoleArn') ?? '';
  const name = parseRoleArn(arn);
  if (name === undefined) throw invalid(`${arn} is invalid`);
  const session = parameters.get('RoleSessionName') ?? '';
  if (!/^[\w+=,.@-]{2,64}$/.test(session)) {
    throw invalid(`Value '${session}' at 'roleSessionName' failed to satisfy constraint`);
  }
  const sessionTags = readSessionTags(parameters);
  const role = trustingRole(arn, parameters.get('ExternalId') ?? undefined, caller, estate);
  const seconds = duration(parameters, role, caller.arn.includes(':assumed-role/'));
  const ttlMs = Math.min(seconds * 1000, sessionTtlMs);
  const id = `AROA${hexOf(hashText(arn), 80, 17).toUpperCase()}`;
  return sts.register({
    account: name.account,
    arn: `arn:${name.partition}:sts::${name.account}:assumed-role/${name.name}/${session}`,
    userId: `${id}:${session}`,
    role: arn,
    sessionTags,
    expiresAt: now + ttlMs,
  });
}

function trustingRole(
  arn: string,
  externalId: string | undefined,
  caller: StsIdentity,
  estate: Estate,
): SimRole {
  const role = estate.role(arn);
  const account = estate.account(parseRoleArn(arn)?.account ?? '');
  const closed = account !== undefined && account.status !== 'ACTIVE';
  if (
    role === undefined ||
    closed ||
    !isTrusted(role, caller.account, caller.arn) ||
    (role.externalId !== undefined && role.externalId !== externalId)
  ) {
    // STS tells a stranger neither whether the role exists nor which condition failed.
    const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
    throw new AwsError('AccessDenied', message, 403);
  }
  return role;
}

function duration(parameters: URLSearchParams, role: SimRole, chained: boolean): number {
  const text = parameters.get('DurationSeconds') ?? String(HOUR_S);
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(seconds >= MIN_DURATION_S && seconds <= MAX_DURATION_S)) {
    throw invalid(`Value '${text}' at 'durationSeconds' failed to satisfy constraint`);
  }
  if (chained && seconds > HOUR_S) {
    throw invalid(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  if (seconds > role.maxDuration) {
    throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return seconds;
}

function readSessionTags(parameters: URLSearchParams): ReadonlyMap<string, string> {
  const members = listOf(parameters, 'Tags.member');
  if (members.length > MAX_TAGS) throw invalid(`at most ${MAX_TAGS} session tags`);
  const tags = new Map<string, string>();
  for (const member of members) {
    const key = member.get('Key') ?? '';
    // Session tags' keys differ by more than their case.
    if (key === '' || [...tags.keys()].some((other) => other.toLowerCase() === key.toLowerCase())) {
      throw new AwsError('InvalidParameterValue', 'Duplicate or empty session tag keys');
    }
    tags.set(key, member.get('Value') ?? '');
  }
  return tags;
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}
