import type { AccountId, Region } from '@tagplane/identity';
import { parseAccountId, parseRegion } from '@tagplane/identity';
import { durationField } from '@tagplane/runtime';
import { z } from 'zod';

/** Text that a `parseX` must accept. */
function parsedField<Parsed>(
  parse: (text: string) => Parsed | undefined,
  expected: string,
): z.ZodType<Parsed, string> {
  return z.string(expected).transform((text, context) => {
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

const accountField: z.ZodType<AccountId, string> = parsedField(
  parseAccountId,
  'expected an account id of 12 digits, in quotes',
);
const regionField: z.ZodType<Region, string> = parsedField(
  parseRegion,
  'expected a region such as eu-central-1',
);
const patternField = z.string().min(1).max(2_048);

const iamRule = z.strictObject({
  account: accountField,
  /** Account ids are unique within a partition. */
  partition: z
    .string()
    .regex(/^aws(-[a-z]+)*$/, 'expected a partition such as aws')
    .default('aws'),
  role: patternField.optional(),
  arn: patternField.optional(),
  roles: z
    .array(z.enum(['agent', 'discovery']))
    .min(1)
    .default(['agent']),
});

const ec2Rule = z.strictObject({
  account: accountField,
  regions: z.array(regionField).min(1).optional(),
});

const endpointField = z.string().transform((text, context) => {
  const url = URL.parse(text);
  const bare = url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url !== null && bare && ['http:', 'https:'].includes(url.protocol)) return url;
  context.addIssue({ code: 'custom', message: 'expected http://HOST[:PORT] or https://HOST[:PORT]' });
  return z.NEVER;
});

/** `join`: how processes without a certificate get in. Tokens always work; the other ways are set up here. */
export const joinField = z.strictObject({
  exchanges: z
    .int()
    .min(1)
    .max(10_000)
    .default(256)
    .describe('how many joins may be under way at once; the others are refused and try again'),
  iam: z
    .strictObject({
      allow: z
        .array(iamRule)
        .min(1)
        .describe(
          'who may join by an AWS role: [{account, role?, arn?, partition?, roles?}]; role (its name) and arn are patterns with *; roles: agent (default), discovery',
        ),
      sts_endpoint: endpointField
        .optional()
        .describe('asked instead of the STS endpoint that was signed for; for tests'),
    })
    .optional(),
  ec2: z
    .strictObject({
      allow: z
        .array(ec2Rule)
        .min(1)
        .describe('which instances may join by their identity document: [{account, regions?}]'),
      certificates: z
        .record(regionField, z.string().min(1))
        .refine((files) => Object.keys(files).length > 0, 'expected at least one region')
        .describe("PEM files of AWS's certificates for identity documents, by region: {eu-central-1: FILE}"),
      max_age: durationField({ min: '1m', max: '365d' })
        .prefault('5m')
        .describe(
          'how long ago the instance may have been started; ten minutes more are allowed for clocks that differ',
        ),
      check_address: z
        .boolean()
        .default(false)
        .describe("whether the caller's address must be the instance's private one"),
    })
    .optional(),
});

export type JoinConfig = z.output<typeof joinField>;
export type IamConfig = NonNullable<JoinConfig['iam']>;
export type IamRule = IamConfig['allow'][number];
export type Ec2Config = NonNullable<JoinConfig['ec2']>;
