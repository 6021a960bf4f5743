import type { OrganizationAccount } from '@tagplane/aws';
import { wildcardMatcher } from '@tagplane/ec2';
import type { AccountId } from '@tagplane/identity';
import type { OrganizationRules } from './config.ts';

type Selection = OrganizationRules['include'];

/**
 * The accounts of an organisation that a block asks for: active ones that `include` has (all, when it says
 * nothing) and `exclude` has not. A selection has an account that is in one of its OUs, however deep, or is
 * one of its accounts, or has all of its tags.
 */
export function pickAccounts(
  accounts: readonly OrganizationAccount[],
  { include, exclude }: Pick<OrganizationRules, 'include' | 'exclude'>,
): AccountId[] {
  const included = isEmpty(include) ? () => true : selector(include);
  const excluded = selector(exclude);
  return accounts
    .filter((account) => account.status === 'active' && included(account) && !excluded(account))
    .map(({ id }) => id)
    .toSorted();
}

/** What a listing has to ask for, beside the accounts themselves; each costs requests. */
export function neededDetails({ include, exclude }: Pick<OrganizationRules, 'include' | 'exclude'>) {
  return {
    withOus: include.ous.length + exclude.ous.length > 0,
    withTags: Object.keys(include.tags).length + Object.keys(exclude.tags).length > 0,
  };
}

function isEmpty({ ous, accounts, tags }: Selection): boolean {
  return ous.length + accounts.length + Object.keys(tags).length === 0;
}

function selector({ ous, accounts, tags }: Selection): (account: OrganizationAccount) => boolean {
  const conditions = Object.entries(tags).map(([key, values]) => ({
    key,
    matchers: values.map(wildcardMatcher),
  }));
  return (account) =>
    account.ous.some((ou) => ous.includes(ou)) ||
    accounts.includes(account.id) ||
    (conditions.length > 0 && conditions.every((condition) => hasTag(account.tags, condition)));
}

/** Without values, any will do. */
function hasTag(
  tags: ReadonlyMap<string, string>,
  { key, matchers }: { readonly key: string; readonly matchers: readonly ((value: string) => boolean)[] },
): boolean {
  const value = tags.get(key);
  return value !== undefined && (matchers.length === 0 || matchers.some((matches) => matches(value)));
}
