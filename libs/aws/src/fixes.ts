import type { AwsCallErrorKind } from './call-error.ts';
import { BAD_CREDENTIALS, refusedCaller } from './call-error.ts';

/** A failed call, as far as its fix depends on it. */
export interface FailedCall {
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly subject?: string | undefined;
  readonly kind: AwsCallErrorKind;
  readonly code: string;
  /** The SDK's own error. */
  readonly cause: unknown;
}

/** The IAM name space of each service. */
const PREFIXES: Readonly<Record<string, string>> = {
  STS: 'sts',
  Organizations: 'organizations',
  SQS: 'sqs',
  SSM: 'ssm',
};

/** IAM names an action after its call, but for the batches of SQS. */
const ACTIONS: Readonly<Record<string, string>> = {
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

const BY_CODE: Readonly<Record<string, (call: FailedCall) => string>> = {
  AWSOrganizationsNotInUseException: () =>
    'this account is in no organisation: give `accounts` instead of `organization`, or let `organization.assume_role` name a role of the management account',
  QueueDoesNotExist: missingQueue,
  'AWS.SimpleQueueService.NonExistentQueue': missingQueue,
  InvalidAddress: missingQueue,
  KmsAccessDenied: ({ subject }) =>
    `the queue ${subject ?? ''} is encrypted with a key of its own: allow kms:Decrypt on that key, in the key's policy and the caller's`,
  InvalidDocument: missingDocument,
  InvalidDocumentVersion: missingDocument,
  InvalidInstanceId: () =>
    'SSM does not manage one of the instances: its SSM agent must run, and its instance profile must hold AmazonSSMManagedInstanceCore',
  UnsupportedPlatformType: () => 'the document does not fit the platform of the instances',
  RegionDisabledException: ({ region }) =>
    `STS is not active in ${region} for this account: activate it under the account settings of IAM, or leave the region out`,
};

/** What a person can do about a failed call; undefined when nothing is known. */
export function fixFor(call: FailedCall): string | undefined {
  const known = BY_CODE[call.code];
  if (known !== undefined) return known(call);
  if (BAD_CREDENTIALS.has(call.code)) return badCredentials(call);
  switch (call.kind) {
    case 'denied':
      return denied(call);
    case 'throttled':
      return `${call.service} throttles this account in ${call.region}: it is tried again later; ask less often if it stays so`;
    case 'unreachable':
      return `no usable answer from ${call.service} in ${call.region}: check the network, the proxy and a VPC endpoint for ${PREFIXES[call.service] ?? call.service}`;
    default:
      return undefined;
  }
}

/** What to do about credentials that do not work, whatever they were used for. */
export function badCredentials({ code }: Pick<FailedCall, 'code'>): string {
  if (code === 'CredentialsProviderError' || code === 'TokenProviderError') {
    return 'no credentials were found: give the process an instance role, a container role or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  }
  return 'the credentials are wrong or have run out: check them, the clock of this host, and that they belong to the partition';
}

function denied(call: FailedCall): string {
  const who = refusedCaller(call.cause) ?? 'the caller';
  const action = `${PREFIXES[call.service] ?? ''}:${ACTIONS[call.operation] ?? call.operation}`;
  if (call.service === 'Organizations') {
    return `${who} may not read the organisation: run in, or let \`organization.assume_role\` name a role of, the management account or a delegated administrator, and allow ${action}`;
  }
  const subject = call.subject === undefined ? '' : ` on ${call.subject}`;
  return `${who} is not allowed ${action}${subject}: add it to its policy`;
}

function missingQueue({ subject, region }: FailedCall): string {
  return `there is no queue ${subject ?? ''} in ${region}: check \`events\`: its url, its region, and the account in the url`;
}

function missingDocument({ subject, region }: FailedCall): string {
  return `there is no SSM document ${subject ?? ''} in ${region} for this account: create or share it, or name another`;
}
