import { hexOf, mix, pick } from '../fleet/random.ts';

export type AccountStatus = 'ACTIVE' | 'SUSPENDED' | 'PENDING_CLOSURE';

/** An AWS account of the estate. */
export interface SimAccount {
  /** Twelve digits. */
  readonly id: string;
  readonly name: string;
  readonly status: AccountStatus;
  /** Its organisational unit by names, such as `workloads/prod`; empty: the root. */
  readonly ou: string;
  readonly tags: ReadonlyMap<string, string>;
  /** The simulator's regions that it has enabled; undefined: all. */
  readonly regions: readonly string[] | undefined;
  /** Whether the organisation has it. */
  readonly member: boolean;
}

/** What may be said of an account; the rest is made up. */
export interface AccountOptions {
  readonly id: string;
  readonly name?: string | undefined;
  readonly status?: AccountStatus | undefined;
  readonly ou?: string | undefined;
  readonly tags?: ReadonlyMap<string, string> | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly member?: boolean | undefined;
}

const UNITS = ['workloads/prod', 'workloads/staging', 'sandbox'] as const;

export function makeAccount(options: AccountOptions): SimAccount {
  const { id, name = `account-${id.slice(-4)}`, status = 'ACTIVE', ou = '' } = options;
  const { tags = new Map<string, string>(), regions, member = true } = options;
  return { id, name, status, ou, tags, regions, member };
}

/** As many accounts as asked for: the management account, then those that follow from the seed. */
export function seedAccounts(count: number, management: string, seed: number): AccountOptions[] {
  const accounts: AccountOptions[] = [{ id: management, name: 'management' }];
  const taken = new Set([management]);
  for (let n = 1; accounts.length < count; n += 1) {
    const id = String(1 + (mix(seed, n) % 9)) + digits(hexOf(mix(seed, n), 60, 22));
    if (taken.has(id)) continue;
    taken.add(id);
    const ou = pick(UNITS, mix(seed, n), 61);
    const env = ou.split('/').at(-1) ?? ou;
    accounts.push({ id, name: `${env}-${accounts.length}`, ou, tags: new Map([['env', env]]) });
  }
  return accounts.slice(0, Math.max(count, 1));
}

function digits(hex: string): string {
  return (BigInt(`0x${hex}`) % 10n ** 11n).toString().padStart(11, '0');
}
