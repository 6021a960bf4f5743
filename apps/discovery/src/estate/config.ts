import { parseAccountId } from '@tagplane/identity';
import type { AccountId, Region } from '@tagplane/identity';
import { durationField } from '@tagplane/runtime';
import { MAX_LABELS_PER_NAMESPACE } from '@tagplane/labels';
import { z } from 'zod';
import { enrollField } from '../enroll/config.ts';
import {
  ALL_REGIONS,
  accountField,
  externalIdField,
  globField,
  labelNameField,
  labelValueField,
  platformField,
  regionField,
  roleArnField,
  roleNameField,
  roleTemplateField,
  sessionNameField,
  stateField,
  tagsField,
  vpcField,
  withoutProto,
} from './fields.ts';
import { PARTITIONS, partitionOf, partitionOfArn } from './partition.ts';
import type { Partition } from './partition.ts';

const assumeRoleSchema = z
  .strictObject({
    role_arn: roleTemplateField.optional(),
    role_name: roleNameField.optional(),
    external_id: externalIdField.optional(),
    session_name: sessionNameField.optional(),
    tags: withoutProto(z.record(z.string().min(1).max(128), z.string().max(256))).optional(),
    chain: z.array(roleArnField).max(8).default([]),
  })
  .refine((role) => (role.role_arn === undefined) !== (role.role_name === undefined), {
    message: 'expected either role_arn or role_name',
  });

const selectionSchema = z.strictObject({
  ous: z.array(z.string().regex(/^(?:ou|r)-[a-z0-9-]+$/, 'expected the id of an OU: ou-…')).default([]),
  accounts: z.array(accountField()).default([]),
  tags: tagsField().default({}),
});

const organizationSchema = z.strictObject({
  include: selectionSchema.prefault({}),
  exclude: selectionSchema.prefault({}),
  assume_role: z
    .strictObject({
      role_arn: roleArnField,
      external_id: externalIdField.optional(),
      session_name: sessionNameField.optional(),
      chain: z.array(roleArnField).max(8).default([]),
    })
    .optional(),
  poll_interval: durationField({ min: '1m', max: '24h' }).prefault('15m'),
});

const blockSchema = z
  .strictObject({
    accounts: z.array(accountField()).min(1, 'expected at least one account').optional(),
    organization: organizationSchema.optional(),
    assume_role: assumeRoleSchema.optional(),
    partition: z.enum(PARTITIONS).optional(),
    regions: z.array(regionField()).min(1, 'expected at least one region'),
    tags: tagsField().default({}),
    vpcs: z.array(vpcField).max(200).optional(),
    states: z.array(stateField).min(1).optional(),
    platforms: z.array(platformField).min(1).optional(),
    import: z
      .strictObject({
        allow: z.array(globField).max(200).default(['*']),
        deny: z.array(globField).max(200).default([]),
        rename: withoutProto(z.record(z.string().min(1), labelNameField)).default({}),
      })
      .optional(),
    labels: withoutProto(z.record(labelNameField, labelValueField))
      .refine((labels) => Object.keys(labels).length <= MAX_LABELS_PER_NAMESPACE, {
        message: `expected at most ${MAX_LABELS_PER_NAMESPACE} labels`,
      })
      .optional(),
    enroll: enrollField.optional(),
  })
  .superRefine((block, context) => {
    const problem = accountsProblem(block) ?? partitionProblem(block);
    if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  });

/** One entry of `aws:`. */
export type EstateBlock = z.output<typeof blockSchema>;
export type AssumeRole = z.output<typeof assumeRoleSchema>;
export type OrganizationRules = z.output<typeof organizationSchema>;

/** The keys of discovery.yaml that say where to look, and how hard. */
export const estateFields = {
  aws: z
    .array(blockSchema)
    .min(1, 'expected at least one entry')
    .describe(
      'Where to look: accounts, regions, and tags that an instance must have ([{regions: [eu-west-1], tags: {env: prod}}]).',
    ),
  quota: z
    .strictObject({
      share: z
        .number()
        .min(0.01)
        .max(1)
        .default(0.25)
        .describe('How much of EC2’s request rate discovery may use, in each account and region: 0.01 to 1.'),
    })
    .prefault({}),
  max_concurrent_scans: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe('Scans that are under way at one time; others wait for their turn.'),
};

interface Problem {
  readonly path: string[];
  readonly message: string;
}

type Parsed = Omit<EstateBlock, 'enroll'>;

/** Whose accounts they are must be said in one way, and with a way in. */
function accountsProblem({ accounts, organization, assume_role: role }: Parsed): Problem | undefined {
  if (accounts !== undefined && organization !== undefined) {
    return { path: ['organization'], message: 'expected accounts or organization, not both' };
  }
  const several = accounts ?? organization;
  if (several !== undefined && role === undefined) {
    return { path: ['assume_role'], message: 'expected the role to assume in each account' };
  }
  if (role === undefined) return undefined;
  const open = role.role_arn === undefined || role.role_arn.includes('{account}');
  if (several === undefined && open) {
    return { path: ['assume_role'], message: 'expected accounts, or a role_arn with an account’s number' };
  }
  const one = accounts?.length === 1 && accounts[0] === accountOfRole(role);
  if (several !== undefined && !open && !one) {
    return { path: ['assume_role', 'role_arn'], message: 'expected {account} where the number stands' };
  }
  return undefined;
}

function partitionProblem(block: Parsed): Problem | undefined {
  const { partition, regions, assume_role: role } = block;
  const known = concrete(regions);
  if (known.length < regions.length && regions.length > 1) {
    return { path: ['regions'], message: 'expected regions, or "*" alone' };
  }
  const expected = partition ?? blockPartition(block);
  const other = known.find((region) => partitionOf(region) !== expected);
  if (other !== undefined && (partition !== undefined || role !== undefined)) {
    return { path: ['regions'], message: `${other} is not a region of the partition ${expected}` };
  }
  const arns = [role?.role_arn, ...(role?.chain ?? [])].filter((arn) => arn !== undefined);
  const foreign = arns.find((arn) => partitionOfArn(arn) !== expected);
  if (foreign === undefined) return undefined;
  return { path: ['assume_role'], message: `${foreign} is not of the partition ${expected}` };
}

/** The partition that a block's roles and account lists are of. */
export function blockPartition({ partition, regions, assume_role: role }: Parsed): Partition {
  const [first] = concrete(regions);
  if (partition !== undefined) return partition;
  if (first !== undefined) return partitionOf(first);
  return partitionOfArn(role?.role_arn ?? '') ?? 'aws';
}

/** Regions by name; none when all of them are asked for. */
export function concrete(regions: readonly (Region | typeof ALL_REGIONS)[]): Region[] {
  return regions.filter((region): region is Region => region !== ALL_REGIONS);
}

/** The account whose number a role's ARN has. */
export function accountOfRole({ role_arn: arn }: AssumeRole): AccountId | undefined {
  return parseAccountId(arn?.split(':')[4] ?? '');
}
