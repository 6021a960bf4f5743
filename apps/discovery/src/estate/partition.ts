import { parseRegion } from '@tagplane/identity';
import type { Region } from '@tagplane/identity';

export const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov'] as const;

/** A part of AWS with accounts, identities and regions of its own. */
export type Partition = (typeof PARTITIONS)[number];

/** Where a partition's services are that have no region, or any. */
const HOME: Readonly<Record<Partition, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
};

/** By the region's name: AWS gives each partition's regions a beginning of their own. */
export function partitionOf(region: Region): Partition {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** The partition in an ARN; undefined for one that is not known here, or text that is no ARN. */
export function partitionOfArn(arn: string): Partition | undefined {
  const [, named] = arn.split(':');
  return PARTITIONS.find((partition) => partition === named);
}

/**
 * The region whose STS, Organizations and DescribeRegions are asked: the process's own, where the network has
 * a way to it, or the partition's first.
 *
 * @param own what AWS_REGION says
 */
export function homeRegion(partition: Partition, own: string | undefined): Region {
  const region = parseRegion(own ?? '');
  return region !== undefined && partitionOf(region) === partition ? region : (HOME[partition] as Region);
}
