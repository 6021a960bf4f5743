import { describe, expect, it } from '@jest/globals';
import type { AccountId } from '@tagplane/identity';
import { blocksOf } from '../testing/blocks.ts';
import { homeRegion, partitionOf, partitionOfArn } from './partition.ts';
import type { Partition } from './partition.ts';
import { accountChain, organizationChain } from './role-chain.ts';

const ACCOUNT = '123456789012' as AccountId;
const HUB = 'arn:aws:iam::210987654321:role/Hub';

describe('the roles on the way into an account', () => {
  it('are none without a role', () => {
    const [block] = blocksOf({ regions: ['eu-west-1'] });
    expect(block && accountChain(block, ACCOUNT)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string[], string]>([
    [
      'template',
      { role_arn: 'arn:aws:iam::{account}:role/Tags' },
      ['eu-west-1'],
      `arn:aws:iam::${ACCOUNT}:role/Tags`,
    ],
    ['name', { role_name: 'path/Tags' }, ['cn-north-1'], `arn:aws-cn:iam::${ACCOUNT}:role/path/Tags`],
    ['name', { role_name: 'Tags' }, ['us-gov-west-1'], `arn:aws-us-gov:iam::${ACCOUNT}:role/Tags`],
  ])('are made from a %s: %j in %j', (_, role, regions, expected) => {
    const [block] = blocksOf({ accounts: [ACCOUNT], regions, assume_role: role });
    expect(block && accountChain(block, ACCOUNT)).toMatchObject([{ roleArn: expected }]);
  });

  it('begin with the chain; secrets and tags are for the last one', () => {
    const [block] = blocksOf({
      accounts: [ACCOUNT],
      regions: ['eu-west-1'],
      assume_role: {
        role_name: 'Tags',
        chain: [HUB],
        external_id: 'x1',
        session_name: 'tp',
        tags: { a: '1' },
      },
    });
    expect(block && accountChain(block, ACCOUNT)).toEqual([
      { roleArn: HUB, sessionName: 'tp' },
      {
        roleArn: `arn:aws:iam::${ACCOUNT}:role/Tags`,
        externalId: 'x1',
        sessionName: 'tp',
        tags: { a: '1' },
      },
    ]);
  });

  it('lead to the organisation in the same way', () => {
    const [block] = blocksOf({
      organization: { assume_role: { role_arn: HUB, external_id: 'x2' } },
      regions: ['*'],
      assume_role: { role_name: 'Tags' },
    });
    expect(block?.organization && organizationChain(block.organization)).toMatchObject([
      { roleArn: HUB, externalId: 'x2' },
    ]);
  });
});

describe('a partition', () => {
  it.each<[string, Partition]>([
    ['eu-central-1', 'aws'],
    ['cn-northwest-1', 'aws-cn'],
    ['us-gov-east-1', 'aws-us-gov'],
  ])('of %s is %s', (region, expected) => {
    expect(partitionOf(homeRegion(expected, region))).toBe(expected);
    expect(homeRegion(expected, region)).toBe(region);
  });

  it.each<[Partition, string | undefined, string]>([
    ['aws', undefined, 'us-east-1'],
    ['aws', 'nonsense', 'us-east-1'],
    ['aws-cn', 'eu-central-1', 'cn-north-1'],
    ['aws-us-gov', '', 'us-gov-west-1'],
  ])('%s without a way of its own (%s) is asked in %s', (partition, own, expected) => {
    expect(homeRegion(partition, own)).toBe(expected);
  });

  it('is in an ARN', () => {
    expect([HUB, 'arn:aws-cn:iam::1:role/x', 'arn:aws-iso:iam::1:role/x', 'x'].map(partitionOfArn)).toEqual([
      'aws',
      'aws-cn',
      undefined,
      undefined,
    ]);
  });
});
