import type { AccountId, Region } from '@tagplane/identity';
import { accountOfRole, blockPartition, concrete } from './config.ts';
import type { EstateBlock } from './config.ts';
import { partitionOf } from './partition.ts';
import type { Partition } from './partition.ts';
import type { Place } from './scope.ts';

/** A scope that should be there. */
export interface WantedScope {
  readonly id: string;
  readonly block: number;
  readonly place: Place;
}

/**
 * Stands for scopes that nobody can tell yet, or that may not be all any more: of an account's regions, or of a
 * block's accounts.
 */
export interface Placeholder {
  /** `ACCOUNT`, or `organization`, and the number of a later one of that name. */
  readonly id: string;
  readonly block: number;
  /** Undefined: it stands for a block's accounts, or for its own credentials' regions. */
  readonly account: AccountId | undefined;
  readonly missing: 'accounts' | 'regions';
}

/** What has been found out so far; whatever failed leaves what it said before. */
export interface EstateFacts {
  /** Whether the last listing failed. */
  isFailing(subject: Pick<Placeholder, 'block' | 'account' | 'missing'>): boolean;
  /** Of the process's own credentials; undefined: STS did not tell. */
  ownAccount(partition: Partition): AccountId | undefined;
  /** Of an organisation's block, those that are picked; undefined before the first listing. */
  accounts(block: number): readonly AccountId[] | undefined;
  /** That are open to an account, undefined: to the process's own; undefined before the first listing. */
  regions(block: number, account: AccountId | undefined): readonly Region[] | undefined;
}

export interface EstatePlan {
  readonly scopes: readonly WantedScope[];
  readonly placeholders: readonly Placeholder[];
}

/** Whose instances a block asks for: several accounts, or the one that the credentials are of. */
export function accountsOf(
  block: EstateBlock,
  index: number,
  facts: Pick<EstateFacts, 'accounts'>,
): readonly AccountId[] | 'own' | undefined {
  if (block.organization !== undefined) return facts.accounts(index);
  if (block.accounts !== undefined) return [...new Set(block.accounts)];
  const named = block.assume_role && accountOfRole(block.assume_role);
  return named === undefined ? 'own' : [named];
}

/** The scopes of an estate as it is known now, in the order of the blocks. */
export function planScopes(blocks: readonly EstateBlock[], facts: EstateFacts): EstatePlan {
  const scopes: WantedScope[] = [];
  const placeholders: Placeholder[] = [];
  const number = createNumbering();
  const stand = (name: string, subject: Omit<Placeholder, 'id'>, isKnown: boolean): void => {
    if (!isKnown || facts.isFailing(subject)) placeholders.push({ id: number(name), ...subject });
  };
  for (const [block, config] of blocks.entries()) {
    const accounts = accountsOf(config, block, facts);
    stand('organization', { block, account: undefined, missing: 'accounts' }, accounts !== undefined);
    for (const account of accounts === 'own' ? [undefined] : (accounts ?? [])) {
      const regions = regionsOf(config, block, account, facts);
      stand(account ?? 'regions', { block, account, missing: 'regions' }, regions !== undefined);
      for (const region of regions ?? []) {
        const partition = partitionOf(region);
        const id = number(account === undefined ? region : `${account}/${region}`);
        const place = { partition, account: account ?? facts.ownAccount(partition), region };
        scopes.push({ id, block, place });
      }
    }
  }
  return { scopes, placeholders };
}

function regionsOf(
  block: EstateBlock,
  index: number,
  account: AccountId | undefined,
  facts: EstateFacts,
): readonly Region[] | undefined {
  const named = concrete(block.regions);
  if (named.length > 0) return named;
  const partition = blockPartition(block);
  return facts.regions(index, account)?.filter((region) => partitionOf(region) === partition);
}

/** A name's second use is `name#2`. */
function createNumbering(): (name: string) => string {
  const times = new Map<string, number>();
  return (name) => {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return time === 1 ? name : `${name}#${time}`;
  };
}

/** Scopes to begin with, and those that are no more. */
export interface ScopeChange<Running> {
  readonly begin: readonly WantedScope[];
  readonly end: readonly Running[];
}

/** A scope whose place is told anew (its account is known at last) ends and begins, under one name. */
export function diffScopes<Running extends WantedScope>(
  running: readonly Running[],
  wanted: readonly WantedScope[],
): ScopeChange<Running> {
  const before = new Map(running.map((scope) => [textOf(scope), scope]));
  const after = new Set(wanted.map(textOf));
  return {
    begin: wanted.filter((scope) => !before.has(textOf(scope))),
    end: running.filter((scope) => !after.has(textOf(scope))),
  };
}

function textOf({ id, block, place }: WantedScope): string {
  return JSON.stringify([id, block, place.partition, place.account, place.region]);
}
