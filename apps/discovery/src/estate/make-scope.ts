import { createRoles } from '@tagplane/aws';
import type { AwsCredentialProvider, RoleStep, Roles } from '@tagplane/aws';
import { createEc2Scanner, matchesFilters } from '@tagplane/ec2';
import type { QuotaGovernor, ScanFilters } from '@tagplane/ec2';
import type { Carry } from '@tagplane/serverinfo';
import { carryOf } from './carry-of.ts';
import type { EstateBlock } from './config.ts';
import { PARTITIONS, homeRegion } from './partition.ts';
import type { Partition } from './partition.ts';
import type { WantedScope } from './plan-scopes.ts';
import { accountChain } from './role-chain.ts';
import type { Scope } from './scope.ts';

/** What scopes are made of, and shared between them: one set of credentials a role, one budget a place. */
export interface ScopeMaker extends Disposable {
  make(wanted: WantedScope): Scope;
  /** A scope is no more: its connections and what only it needed are let go. */
  end(scope: Scope): void;
  /** Undefined for an empty chain: what the SDK finds by itself. */
  credentials(partition: Partition, chain: readonly RoleStep[]): AwsCredentialProvider | undefined;
}

export interface ScopeMakerParts {
  readonly blocks: readonly EstateBlock[];
  readonly governor: QuotaGovernor;
  /** What AWS_REGION says. */
  readonly ownRegion: string | undefined;
}

export function createScopeMaker({ blocks, governor, ownRegion }: ScopeMakerParts): ScopeMaker {
  using stack = new DisposableStack();
  const roles = new Map<Partition, Roles>();
  for (const partition of PARTITIONS) {
    roles.set(partition, stack.use(createRoles({ region: homeRegion(partition, ownRegion) })));
  }
  const kept = stack.move();
  const facts = blocks.map((block) => ({ block, filters: filtersOf(block), carry: carryOf(block) }));
  const credentials = (
    partition: Partition,
    chain: readonly RoleStep[],
  ): AwsCredentialProvider | undefined =>
    chain.length === 0 ? undefined : roles.get(partition)?.provider(chain);
  return {
    make: (wanted) => {
      const { id, block: index, place } = wanted;
      const fact = facts[index];
      if (fact === undefined) throw new RangeError(`no block ${index}`);
      const provider = credentials(place.partition, accountChain(fact.block, place.account));
      const scanner = createEc2Scanner({
        region: place.region,
        pacer: governor.pacer(place),
        ...(provider === undefined ? {} : { credentials: provider }),
      });
      return scopeOf({ id, block: index, place, scanner, credentials: provider }, fact);
    },
    end: ({ scanner }) => {
      scanner[Symbol.dispose]();
    },
    credentials,
    [Symbol.dispose]: () => {
      kept.dispose();
    },
  };
}

interface BlockFacts {
  readonly block: EstateBlock;
  readonly filters: ScanFilters;
  readonly carry: Carry;
}

function scopeOf(
  rest: Pick<Scope, 'id' | 'block' | 'place' | 'scanner' | 'credentials'>,
  { block, filters, carry }: BlockFacts,
): Scope {
  return {
    ...rest,
    filters,
    matches: (instance) => matchesFilters(instance, filters),
    carry,
    enroll: block.enroll,
  };
}

function filtersOf({ tags, vpcs, states, platforms }: EstateBlock): ScanFilters {
  return {
    tags,
    ...(vpcs === undefined ? {} : { vpcs }),
    ...(states === undefined ? {} : { states }),
    ...(platforms === undefined ? {} : { platforms }),
  };
}
