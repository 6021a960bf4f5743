export {
  INSTANCE_STATES,
  type DiscoveredInstance,
  type DiscoveredPage,
  type Ec2Scanner,
  type InstanceState,
  type Platform,
  type RejectedInstance,
  type ScanFilters,
  type ScanOptions,
} from './discovered.ts';
export { matchesFilters } from './filters.ts';
export {
  createQuotaGovernor,
  type PlaceUsage,
  type QuotaGovernor,
  type QuotaGovernorOptions,
  type QuotaPlace,
} from './quota/governor.ts';
export { QuotaQueueError, type RequestPacer, type Turn } from './quota/request-pacer.ts';
export { AWS_BUCKETS, type BucketSize } from './quota/token-bucket.ts';
export { listRegions, type ListRegionsOptions } from './regions.ts';
export { ScanError, type ScanErrorKind, type ScanFailure } from './scan-error.ts';
export { createEc2Scanner, type Ec2ScannerOptions } from './scanner.ts';
export { escapeWildcards, wildcardMatcher } from './wildcard.ts';
