import type { AccountId, Region } from '@tagplane/identity';
import type { Partition } from './partition.ts';
import type { EstateFacts, Placeholder } from './plan-scopes.ts';

/** What has been found out of the estate, and what could not be. A failure leaves the last good word. */
export class EstateBook implements EstateFacts {
  readonly #own = new Map<Partition, AccountId>();
  readonly #accounts = new Map<number, readonly AccountId[]>();
  readonly #regions = new Map<string, readonly Region[]>();
  readonly #problems = new Map<string, string>();

  ownAccount(partition: Partition): AccountId | undefined {
    return this.#own.get(partition);
  }

  accounts(block: number): readonly AccountId[] | undefined {
    return this.#accounts.get(block);
  }

  regions(block: number, account: AccountId | undefined): readonly Region[] | undefined {
    return this.#regions.get(regionsKey(block, account));
  }

  /** Why what a placeholder stands for is not known; undefined: not asked yet. */
  problem({
    block,
    account,
    missing,
  }: Pick<Placeholder, 'block' | 'account' | 'missing'>): string | undefined {
    return this.#problems.get(missing === 'accounts' ? accountsKey(block) : regionsKey(block, account));
  }

  isFailing(subject: Pick<Placeholder, 'block' | 'account' | 'missing'>): boolean {
    return this.problem(subject) !== undefined;
  }

  noteOwn(partition: Partition, account: AccountId): void {
    this.#own.set(partition, account);
  }

  noteAccounts(block: number, accounts: readonly AccountId[]): void {
    this.#accounts.set(block, accounts);
    this.#problems.delete(accountsKey(block));
  }

  noteRegions(block: number, account: AccountId | undefined, regions: readonly Region[]): void {
    this.#regions.set(regionsKey(block, account), regions);
    this.#problems.delete(regionsKey(block, account));
  }

  failedAccounts(block: number, problem: string): void {
    this.#problems.set(accountsKey(block), problem);
  }

  failedRegions(block: number, account: AccountId | undefined, problem: string): void {
    this.#problems.set(regionsKey(block, account), problem);
  }
}

function accountsKey(block: number): string {
  return `${block} accounts`;
}

function regionsKey(block: number, account: AccountId | undefined): string {
  return `${block} regions ${account ?? ''}`;
}
