import { DescribeRegionsCommand } from '@aws-sdk/client-ec2';
import { parseRegion } from '@tagplane/identity';
import type { Region } from '@tagplane/identity';
import { createEc2Client } from './client.ts';
import type { Ec2ClientOptions } from './client.ts';
import { createDeadline } from './deadline.ts';
import { pace } from './pacing.ts';
import type { RequestPacer } from './quota/request-pacer.ts';
import { ScanError, toScanError } from './scan-error.ts';

/** 5 attempts of at most 30 s, plus their backoff. */
const TIMEOUT_MS = 180_000;

export interface ListRegionsOptions extends Omit<Ec2ClientOptions, 'region'> {
  /** Where to ask: a region of the partition that every account has, such as `us-east-1`. */
  readonly partitionRegion: Region;
  readonly pacer?: RequestPacer;
}

/**
 * The regions that are enabled for the account, in order of their names.
 *
 * @throws ScanError
 */
export async function listRegions(options: ListRegionsOptions, signal: AbortSignal): Promise<Region[]> {
  const { partitionRegion: region, pacer } = options;
  const client = createEc2Client({ ...options, region });
  using deadline = createDeadline(TIMEOUT_MS);
  const abortSignal = AbortSignal.any([signal, deadline.signal]);
  // Without AllRegions, EC2 leaves out those that the account has not opted in to.
  const command = new DescribeRegionsCommand({});
  pace(command, { pacer, signal: abortSignal, clock: deadline });
  deadline.start();
  try {
    const { Regions } = await client.send(command, { abortSignal });
    const regions = (Regions ?? [])
      .filter(({ OptInStatus }) => OptInStatus !== 'not-opted-in')
      .map(({ RegionName }) => parseRegion(RegionName ?? ''))
      .filter((name) => name !== undefined);
    // The region that answered is one of them.
    if (regions.length === 0)
      throw new ScanError({ kind: 'other', region, requests: 1, code: 'MalformedResponse' });
    return regions.toSorted();
  } catch (error) {
    if (error instanceof ScanError) throw error;
    throw toScanError(error, { region, requests: 0, aborted: signal.aborted, late: deadline.signal.aborted });
  } finally {
    client.destroy();
  }
}
