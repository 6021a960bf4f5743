import { callerAccount, listAccounts } from '@tagplane/aws';
import type { OrganizationAccount } from '@tagplane/aws';
import { listRegions } from '@tagplane/ec2';
import type { QuotaGovernor } from '@tagplane/ec2';
import type { AccountId, Region } from '@tagplane/identity';
import { blockPartition } from './config.ts';
import type { EstateBlock, OrganizationRules } from './config.ts';
import type { ScopeMaker } from './make-scope.ts';
import { homeRegion } from './partition.ts';
import type { Partition } from './partition.ts';
import { neededDetails } from './pick-accounts.ts';
import { accountChain, organizationChain } from './role-chain.ts';

/** What AWS is asked to find out what there is to scan. Failures are errors that tell what to do. */
export interface EstateLookups {
  /** Whose the process's own credentials are. */
  ownAccount(partition: Partition, signal: AbortSignal): Promise<AccountId>;
  /** All accounts of a block's organisation. */
  accounts(block: EstateBlock, rules: OrganizationRules, signal: AbortSignal): Promise<OrganizationAccount[]>;
  /** The regions that are open to an account; undefined: to the process's own. */
  regions(block: EstateBlock, account: AccountId | undefined, signal: AbortSignal): Promise<Region[]>;
}

export interface AwsLookupParts {
  readonly maker: ScopeMaker;
  readonly governor: QuotaGovernor;
  /** What AWS_REGION says. */
  readonly ownRegion: string | undefined;
}

/** The lookups of AWS itself, with the credentials of the blocks. */
export function createAwsLookups({ maker, governor, ownRegion }: AwsLookupParts): EstateLookups {
  return {
    ownAccount: (partition, signal) => callerAccount({ region: homeRegion(partition, ownRegion) }, signal),
    accounts: (block, rules, signal) => {
      const partition = blockPartition(block);
      const credentials = maker.credentials(partition, organizationChain(rules));
      const region = homeRegion(partition, ownRegion);
      return listAccounts({ region, credentials, ...neededDetails(rules) }, signal);
    },
    regions: (block, account, signal) => {
      const partition = blockPartition(block);
      const partitionRegion = homeRegion(partition, ownRegion);
      const credentials = maker.credentials(partition, accountChain(block, account));
      const pacer = governor.pacer({ account, region: partitionRegion });
      return listRegions(
        { partitionRegion, pacer, ...(credentials === undefined ? {} : { credentials }) },
        signal,
      );
    },
  };
}
