import { describe, expect, it } from '@jest/globals';
import type { FailedCall } from './fixes.ts';
import { fixFor } from './fixes.ts';
import { roleFix } from './role-fix.ts';

const REFUSED = new Error(
  'User: arn:aws:sts::123456789012:assumed-role/Hub/x is not authorized to perform: it',
);

function failed(parts: Partial<FailedCall>): FailedCall {
  return {
    service: 'SQS',
    operation: 'ReceiveMessage',
    region: 'eu-central-1',
    kind: 'other',
    code: 'Unheard',
    cause: new Error('from AWS'),
    ...parts,
  };
}

describe('fixFor', () => {
  const organizations = { service: 'Organizations', operation: 'ListAccounts' };
  const ssm = { service: 'SSM', operation: 'SendCommand', subject: 'Tagplane-Enroll' };
  it.each<[string, Partial<FailedCall>, RegExp | undefined]>([
    [
      'an organisation that may not be read',
      { ...organizations, kind: 'denied', code: 'AccessDeniedException' },
      /^the caller may not read .* management account or a delegated administrator, and allow organizations:ListAccounts$/,
    ],
    [
      'an account without an organisation',
      { ...organizations, code: 'AWSOrganizationsNotInUseException' },
      /^this account is in no organisation: give `accounts`/,
    ],
    [
      'a queue that is not there',
      { code: 'QueueDoesNotExist', subject: 'https://q' },
      /^there is no queue https:\/\/q in eu-central-1: check `events`/,
    ],
    [
      'a queue that may not be read',
      { kind: 'denied', code: 'AccessDenied', subject: 'https://q', cause: REFUSED },
      /^arn:aws:sts::123456789012:assumed-role\/Hub\/x is not allowed sqs:ReceiveMessage on https:\/\/q: add it/,
    ],
    [
      'a batch that may not be deleted',
      { operation: 'DeleteMessageBatch', kind: 'denied', code: 'AccessDenied' },
      /is not allowed sqs:DeleteMessage: /,
    ],
    ['a key that may not be used', { kind: 'denied', code: 'KmsAccessDenied' }, /allow kms:Decrypt/],
    [
      'a command that may not be sent',
      { ...ssm, kind: 'denied', code: 'AccessDeniedException' },
      /^the caller is not allowed ssm:SendCommand on Tagplane-Enroll/,
    ],
    [
      'a document that is not there',
      { ...ssm, code: 'InvalidDocument' },
      /no SSM document Tagplane-Enroll in/,
    ],
    ['an instance without SSM', { ...ssm, code: 'InvalidInstanceId' }, /AmazonSSMManagedInstanceCore/],
    ['a document for others', { ...ssm, code: 'UnsupportedPlatformType' }, /does not fit the platform/],
    ['no credentials', { kind: 'denied', code: 'CredentialsProviderError' }, /^no credentials were found: /],
    ['wrong credentials', { kind: 'denied', code: 'ExpiredTokenException' }, /wrong or have run out/],
    [
      'a region that is off',
      { service: 'STS', code: 'RegionDisabledException' },
      /not active in eu-central-1/,
    ],
    ['too many requests', { kind: 'throttled' }, /^SQS throttles this account in eu-central-1/],
    ['no way there', { kind: 'unreachable' }, /check the network, the proxy and a VPC endpoint for sqs$/],
    ['what nobody knows', {}, undefined],
  ])('knows what to do about %s', (_, parts, fix) => {
    if (fix === undefined) expect(fixFor(failed(parts))).toBeUndefined();
    else expect(fixFor(failed(parts))).toMatch(fix);
  });
});

describe('roleFix', () => {
  const roleArn = 'arn:aws:iam::210987654321:role/Member';
  const refusal = { kind: 'denied', code: 'AccessDenied', region: 'eu-central-1', cause: REFUSED } as const;

  it('names the role, the caller and what to check when it is refused', () => {
    const fix = roleFix({ roleArn }, refusal);
    const who = 'arn:aws:sts::123456789012:assumed-role/Hub/x';
    expect(fix).toContain(`trust policy lets ${who} do sts:AssumeRole, and that ${who} is itself allowed`);
    expect(fix).toContain(`sts:AssumeRole on ${roleArn}; if its trust policy asks for an external id, set`);
  });

  it('does not tell the external id', () => {
    const fix = roleFix({ roleArn, externalId: 'very secret' }, refusal);
    expect(fix).toContain('the external id must equal the sts:ExternalId of its trust policy');
    expect(fix).not.toContain('very secret');
  });

  it('asks for sts:TagSession where there are tags', () => {
    expect(roleFix({ roleArn, tags: { a: 'b' } }, refusal)).toContain(
      'do sts:AssumeRole and sts:TagSession,',
    );
  });

  it.each([
    ['ExpiredToken', 'denied', /wrong or have run out/],
    ['PackedPolicyTooLargeException', 'other', /shorten `assume_role.tags`/],
    ['ValidationError', 'other', /check `role_arn`/],
    ['RegionDisabledException', 'other', /not active in eu-central-1/],
    ['ECONNREFUSED', 'unreachable', /no usable answer from STS/],
    ['Unheard', 'other', /see the code/],
  ] as const)('knows what to do about %s', (code, kind, fix) => {
    expect(roleFix({ roleArn }, { ...refusal, code, kind })).toMatch(fix);
  });
});
