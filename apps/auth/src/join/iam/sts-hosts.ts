/** Suffix and regions of the STS endpoints of each partition (AWS General Reference, "Service endpoints"). */
const PARTITIONS: Readonly<Record<string, { readonly suffix: string; readonly regions: readonly string[] }>> =
  {
    aws: {
      suffix: 'amazonaws.com',
      regions: [
        ...['af-south-1', 'ap-east-1', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3'],
        ...['ap-south-1', 'ap-south-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3'],
        ...['ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
        ...['ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1'],
        ...['eu-south-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'il-central-1', 'me-central-1'],
        ...['me-south-1', 'mx-central-1', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
      ],
    },
    'aws-cn': { suffix: 'amazonaws.com.cn', regions: ['cn-north-1', 'cn-northwest-1'] },
    'aws-us-gov': { suffix: 'amazonaws.com', regions: ['us-gov-east-1', 'us-gov-west-1'] },
    'aws-iso': { suffix: 'c2s.ic.gov', regions: ['us-iso-east-1', 'us-iso-west-1'] },
    'aws-iso-b': { suffix: 'sc2s.sgov.gov', regions: ['us-isob-east-1'] },
    'aws-eusc': { suffix: 'amazonaws.eu', regions: ['eusc-de-east-1'] },
  };

/** The one endpoint without a region. */
const GLOBAL_HOST = 'sts.amazonaws.com';

/**
 * A list, not a pattern: under a pattern, whoever gets to own a fitting name would be asked who the
 * caller is. A region that is not in it yet is reached by the global endpoint.
 */
const HOSTS: ReadonlyMap<string, string> = new Map([
  [GLOBAL_HOST, 'aws'],
  ...Object.entries(PARTITIONS).flatMap(([partition, { suffix, regions }]) =>
    regions.map((region) => [`sts.${region}.${suffix}`, partition] as const),
  ),
]);

/** The partition whose STS this host is; undefined: it is none. */
export function stsPartition(host: string): string | undefined {
  return HOSTS.get(host);
}

/** All regions known here. */
export const STS_REGIONS: readonly string[] = Object.values(PARTITIONS).flatMap(({ regions }) => regions);
