import type { Region } from '@tagplane/identity';

/** Domains of the partitions other than `aws` and `aws-us-gov` (AWS General Reference, "Service endpoints"). */
const DOMAINS: readonly (readonly [start: string, domain: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['eusc-', 'amazonaws.eu'],
];

/** The regional endpoint of STS. */
export function stsHost(region: Region): string {
  const [, domain] = DOMAINS.find(([start]) => region.startsWith(start)) ?? [];
  return `sts.${region}.${domain ?? 'amazonaws.com'}`;
}
