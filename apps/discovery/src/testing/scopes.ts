import { matchesFilters } from '@tagplane/ec2';
import type { Ec2Scanner, ScanFilters } from '@tagplane/ec2';
import { fakeRegion, fakeScanner } from '@tagplane/ec2/testing';
import { parseAccountId } from '@tagplane/identity';
import { carryAll } from '@tagplane/serverinfo';
import { partitionOf } from '../estate/partition.ts';
import type { Scope } from '../estate/scope.ts';

export interface FakeScopeParts extends Partial<Omit<Scope, 'place' | 'scanner' | 'filters'>> {
  readonly account?: string | undefined;
  readonly region?: string;
  /** Default: one that finds nothing. */
  readonly scanner?: Ec2Scanner;
  readonly filters?: ScanFilters;
}

/** A scope of a fake scanner; without an account, of the process's own credentials. */
export function fakeScope({ account, region, scanner, filters = {}, ...rest }: FakeScopeParts = {}): Scope {
  const of = scanner ?? fakeScanner(() => [{ instances: [] }], fakeRegion(region ?? 'eu-central-1'));
  return {
    id: account === undefined ? of.region : `${account}/${of.region}`,
    block: 0,
    place: {
      partition: partitionOf(of.region),
      account: account === undefined ? undefined : parseAccountId(account),
      region: of.region,
    },
    scanner: of,
    credentials: undefined,
    filters,
    matches: (instance) => matchesFilters(instance, filters),
    carry: carryAll,
    enroll: undefined,
    ...rest,
  };
}
