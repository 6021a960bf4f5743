import type { AwsCredentialProvider } from '@tagplane/aws';
import type { DiscoveredInstance, Ec2Scanner, ScanFilters } from '@tagplane/ec2';
import type { AccountId, InstanceKey, Region } from '@tagplane/identity';
import type { Carry } from '@tagplane/serverinfo';
import type { EstateBlock } from './config.ts';
import type { Partition } from './partition.ts';

/** Where instances are. */
export interface Place {
  readonly partition: Partition;
  /** Undefined: that of the process's own credentials, which STS has not told. */
  readonly account: AccountId | undefined;
  readonly region: Region;
}

/** A block at a place: what is scanned, and what becomes of what is found. */
export interface Scope {
  /** `REGION`, or `ACCOUNT/REGION` where the block says whose; `#2` and on where a later block has the same. */
  readonly id: string;
  /** Place of its block in the list, from 0. Of several that have an instance the first decides. */
  readonly block: number;
  readonly place: Place;
  readonly scanner: Ec2Scanner;
  /** For other services of the place. Undefined: what the SDK finds by itself. */
  readonly credentials: AwsCredentialProvider | undefined;
  readonly filters: ScanFilters;
  /** Whether an instance fits the filters. */
  readonly matches: (instance: DiscoveredInstance) => boolean;
  /** Makes labels of tags. Scopes of one block have the same. */
  readonly carry: Carry;
  readonly enroll: EstateBlock['enroll'];
}

/** The scopes as they are now: accounts and regions come and go. It outlives a term of the lease. */
export interface ScopeSet {
  /** In the order of their blocks. */
  current(): readonly Scope[];
  /** Those that may have instances of a place, in the order of their blocks. */
  at(place: Pick<InstanceKey, 'account' | 'region'>): readonly Scope[];
  /**
   * Tells of every change, after it.
   *
   * @returns ends it
   */
  onChange(listener: () => void): () => void;
}

/** More than an estate has: a hundred accounts in every region are 3,000. */
const MAX_PLACES = 10_000;

/** A set that its owner changes. */
export class ScopeTable implements ScopeSet {
  #scopes: readonly Scope[];
  /** By `ACCOUNT/REGION`, filled as they are asked for. */
  readonly #places = new Map<string, readonly Scope[]>();
  readonly #listeners = new Set<() => void>();

  constructor(scopes: readonly Scope[] = []) {
    this.#scopes = byBlock(scopes);
  }

  current(): readonly Scope[] {
    return this.#scopes;
  }

  at({ account, region }: Pick<InstanceKey, 'account' | 'region'>): readonly Scope[] {
    const key = `${account}/${region}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const found = this.#scopes.filter(
      ({ place }) => place.region === region && (place.account === undefined || place.account === account),
    );
    // Anyone may name a place: of accounts that are not there some are kept for nothing, but not all.
    if (this.#places.size >= MAX_PLACES) this.#places.clear();
    this.#places.set(key, found);
    return found;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  replace(scopes: readonly Scope[]): void {
    this.#scopes = byBlock(scopes);
    this.#places.clear();
    for (const listener of this.#listeners) listener();
  }
}

function byBlock(scopes: readonly Scope[]): Scope[] {
  return scopes.toSorted((a, b) => a.block - b.block);
}
