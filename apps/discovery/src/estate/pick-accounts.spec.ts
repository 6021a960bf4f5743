import { describe, expect, it } from '@jest/globals';
import type { OrganizationAccount } from '@tagplane/aws';
import type { AccountId } from '@tagplane/identity';
import { blocksOf } from '../testing/blocks.ts';
import type { OrganizationRules } from './config.ts';
import { neededDetails, pickAccounts } from './pick-accounts.ts';

const idOf = (digit: number): AccountId => String(digit).repeat(12) as AccountId;

function account(
  digit: number,
  ous: string[],
  tags: Record<string, string> = {},
  status: OrganizationAccount['status'] = 'active',
) {
  return { id: idOf(digit), name: `a${digit}`, status, ous, tags: new Map(Object.entries(tags)) };
}

const accounts: OrganizationAccount[] = [
  account(3, ['r-1', 'ou-prod', 'ou-deep'], { env: 'prod' }),
  account(1, ['r-1', 'ou-prod'], { env: 'production', team: 'a' }),
  account(2, ['r-1', 'ou-dev'], { env: 'dev' }),
  account(4, ['r-1', 'ou-prod'], { env: 'prod' }, 'suspended'),
  account(5, ['r-1', 'ou-prod'], { env: 'prod' }, 'other'),
];

function rulesOf(organization: Record<string, unknown>): OrganizationRules {
  const [block] = blocksOf({ organization, regions: ['*'], assume_role: { role_name: 'Tags' } });
  if (block?.organization === undefined) throw new Error('no organization');
  return block.organization;
}

describe('the accounts of an organisation', () => {
  it.each<[string, Record<string, unknown>, number[]]>([
    ['all that are active, by default', {}, [1, 2, 3]],
    ['in an OU, however deep', { include: { ous: ['ou-prod'] } }, [1, 3]],
    ['in the OU below', { include: { ous: ['ou-deep'] } }, [3]],
    ['by id', { include: { accounts: [idOf(2), idOf(4)] } }, [2]],
    ['by a tag, with wildcards', { include: { tags: { env: 'prod*' } } }, [1, 3]],
    ['by all of the tags', { include: { tags: { env: ['prod', 'production'], team: [] } } }, [1]],
    ['by one of several ways', { include: { ous: ['ou-deep'], accounts: [idOf(2)] } }, [2, 3]],
    ['without those of an OU', { exclude: { ous: ['ou-deep'] } }, [1, 2]],
    ['without some ids', { exclude: { accounts: [idOf(1)] } }, [2, 3]],
    ['without those with a tag', { exclude: { tags: { env: ['dev'] } } }, [1, 3]],
    ['exclude beats include', { include: { ous: ['ou-prod'] }, exclude: { tags: { team: ['a'] } } }, [3]],
    ['none', { include: { accounts: [idOf(9)] } }, []],
  ])('%s', (_, organization, expected) => {
    expect(pickAccounts(accounts, rulesOf(organization))).toEqual(expected.map(idOf));
  });

  it.each([
    [{}, { withOus: false, withTags: false }],
    [{ include: { ous: ['ou-1'] } }, { withOus: true, withTags: false }],
    [{ exclude: { tags: { env: [] } } }, { withOus: false, withTags: true }],
  ])('are asked for with no more than %j needs', (organization, expected) => {
    expect(neededDetails(rulesOf(organization))).toEqual(expected);
  });
});
