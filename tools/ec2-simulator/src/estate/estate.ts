import { AwsError } from '../aws-error.ts';
import { makeAccount, seedAccounts } from './account.ts';
import type { AccountOptions, SimAccount } from './account.ts';
import { makeRole, parseRoleArn } from './role.ts';
import type { RoleOptions, SimRole } from './role.ts';

export interface EstateOptions {
  /**
   * How many accounts the organisation has, or which; the management account is the first of them.
   * Undefined: one account and no organisation.
   */
  readonly accounts?: number | readonly AccountOptions[] | undefined;
  /** A role of this name in every account, trusting the management account. Default none. */
  readonly role?: string | undefined;
  /** The external id that those roles ask for. */
  readonly externalId?: string | undefined;
  /** More roles. */
  readonly roles?: readonly RoleOptions[] | undefined;
}

export interface EstateFacts extends EstateOptions {
  readonly management: string;
  readonly regions: readonly string[];
  readonly seed: number;
}

/** Regions that an account must enable before it can use them (AWS account management guide). */
const OPT_IN_REGIONS: ReadonlySet<string> = new Set([
  ...['af-south-1', 'ap-east-1', 'ap-east-2', 'ap-south-2', 'ap-southeast-3', 'ap-southeast-4'],
  ...['ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'ca-west-1', 'eu-central-2', 'eu-south-1'],
  ...['eu-south-2', 'il-central-1', 'me-central-1', 'me-south-1', 'mx-central-1'],
]);

export type OptInStatus = 'opt-in-not-required' | 'opted-in' | 'not-opted-in';

/** Accounts, their organisation and their roles. Every method throws AwsError for what is not there. */
export class Estate {
  readonly #facts: EstateFacts;
  #accounts = new Map<string, SimAccount>();
  #roles = new Map<string, SimRole>();

  constructor(facts: EstateFacts) {
    this.#facts = facts;
    this.reset();
  }

  get management(): string {
    return this.#facts.management;
  }

  /** Whether there is an organisation at all. */
  get organised(): boolean {
    return this.#facts.accounts !== undefined;
  }

  get accounts(): readonly SimAccount[] {
    return [...this.#accounts.values()];
  }

  get roles(): readonly SimRole[] {
    return [...this.#roles.values()];
  }

  account(id: string): SimAccount | undefined {
    return this.#accounts.get(id);
  }

  role(arn: string): SimRole | undefined {
    return this.#roles.get(arn);
  }

  /** Back to the seeded accounts and roles. */
  reset(): void {
    const { accounts = 1, management, seed, roles = [] } = this.#facts;
    this.#accounts = new Map();
    this.#roles = new Map();
    const wanted = typeof accounts === 'number' ? seedAccounts(accounts, management, seed) : accounts;
    for (const account of wanted) this.join(account);
    if (!this.#accounts.has(management)) this.join({ id: management, name: 'management' });
    for (const role of roles) this.putRole(role);
  }

  /** A new account, or one that comes back, with the role that every account has. */
  join(options: AccountOptions): SimAccount {
    if (!/^\d{12}$/.test(options.id)) throw new AwsError('BadRequest', 'id: twelve digits');
    const account = makeAccount({ ...this.#accounts.get(options.id), ...options, member: true });
    this.#accounts.set(account.id, account);
    const { role, management, externalId } = this.#facts;
    if (role !== undefined) {
      const arn = `arn:${this.partition}:iam::${account.id}:role/${role}`;
      if (!this.#roles.has(arn)) this.putRole({ arn, trusts: [management], externalId });
    }
    return account;
  }

  change(id: string, change: Omit<AccountOptions, 'id'>): SimAccount {
    const account = makeAccount({ ...this.#existing(id), ...change });
    this.#accounts.set(id, account);
    return account;
  }

  /** The account leaves the organisation; it goes on with its instances and roles. */
  leave(id: string): SimAccount {
    return this.change(id, { member: false });
  }

  putRole(options: RoleOptions): SimRole {
    if (parseRoleArn(options.arn) === undefined) throw new AwsError('BadRequest', 'arn: that of a role');
    const role = makeRole(options);
    this.#roles.set(role.arn, role);
    return role;
  }

  removeRole(arn: string): void {
    if (!this.#roles.delete(arn)) throw new AwsError('NoSuchRole', `There is no role ${arn}`, 404);
  }

  get partition(): string {
    return partitionOf(this.#facts.regions[0] ?? '');
  }

  optInStatus(account: string, region: string): OptInStatus {
    const { regions } = this.#accounts.get(account) ?? {};
    if (regions !== undefined && !regions.includes(region)) return 'not-opted-in';
    return OPT_IN_REGIONS.has(region) ? 'opted-in' : 'opt-in-not-required';
  }

  #existing(id: string): SimAccount {
    const account = this.#accounts.get(id);
    if (account === undefined) throw new AwsError('NoSuchAccount', `There is no account ${id}`, 404);
    return account;
  }
}

export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
