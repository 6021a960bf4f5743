import { INSTANCE_STATES } from '@tagplane/ec2';
import { parseAccountId, parseRegion } from '@tagplane/identity';
import type { AccountId, Region } from '@tagplane/identity';
import { awsLabelKey, isSystemLabel, labelProblem } from '@tagplane/labels';
import { MAX_GLOB_CHARACTERS } from '@tagplane/serverinfo';
import { z } from 'zod';

/** Stands for every region that is open to an account. */
export const ALL_REGIONS = '*';

export function accountField(): z.ZodType<AccountId, string> {
  return z.string('expected twelve digits, in quotes').transform((text, context) => {
    const account = parseAccountId(text);
    if (account !== undefined) return account;
    context.addIssue({ code: 'custom', message: 'expected twelve digits, in quotes' });
    return z.NEVER;
  });
}

export function regionField(): z.ZodType<Region | typeof ALL_REGIONS, string> {
  return z.string().transform((text, context) => {
    if (text === ALL_REGIONS) return ALL_REGIONS;
    const region = parseRegion(text);
    if (region !== undefined) return region;
    context.addIssue({ code: 'custom', message: 'expected a region such as eu-central-1' });
    return z.NEVER;
  });
}

/** Refuses a mapping with the key `__proto__`, which a record would lose: and with it a condition. */
export function withoutProto<Field extends z.ZodType>(field: Field) {
  return z.preprocess((value, context) => {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')) {
      context.addIssue({ code: 'custom', path: ['__proto__'], message: 'this key cannot be asked for' });
    }
    return value;
  }, field);
}

/** Values by tag key: one value, several, or none for any. */
export function tagsField() {
  const values: z.ZodType<string[], string | string[]> = z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? [value] : value));
  return withoutProto(z.record(z.string().min(1), values));
}

export const stateField = z.enum(INSTANCE_STATES);
export const platformField = z.enum(['linux', 'windows']);
export const vpcField = z.string().regex(/^vpc-[0-9a-f]{8,17}$/, 'expected the id of a VPC: vpc-…');

/** A pattern of tag keys. */
export const globField = z.string().min(1).max(MAX_GLOB_CHARACTERS);

/** What a tag, or a label of the block, may be called under `aws/`. */
export const labelNameField = z.string().superRefine((name, context) => {
  const problem = isSystemLabel(awsLabelKey(name))
    ? 'names that begin with "aws:" are AWS’s own'
    : labelProblem(awsLabelKey(name), '');
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

export const labelValueField = z.string().superRefine((value, context) => {
  const problem = labelProblem(awsLabelKey('label'), value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const ROLE_ARN = /^arn:(?:aws|aws-cn|aws-us-gov):iam::(?:[0-9]{12}|\{account\}):role\/[\w+=,.@/-]+$/;
const OWN_ROLE_ARN = /^arn:(?:aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role\/[\w+=,.@/-]+$/;

/** The ARN of a role; `{account}` may stand for each account's number. */
export const roleTemplateField = z.string().regex(ROLE_ARN, 'expected arn:aws:iam::{account}:role/NAME');
export const roleArnField = z.string().regex(OWN_ROLE_ARN, 'expected arn:aws:iam::ACCOUNT:role/NAME');
/** With its path, if it has one. */
export const roleNameField = z.string().regex(/^[\w+=,.@/-]{1,512}$/, 'expected the name of a role');
/** IAM's own rules for both. */
export const externalIdField = z.string().regex(/^[\w+=,.@:/-]{2,1224}$/, 'expected 2 to 1224 characters');
export const sessionNameField = z.string().regex(/^[\w+=,.@-]{2,64}$/, 'expected 2 to 64 characters');
