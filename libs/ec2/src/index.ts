export {
  INSTANCE_STATES,
  type DiscoveredInstance,
  type DiscoveredPage,
  type Ec2Scanner,
  type InstanceState,
  type RejectedInstance,
  type ScanFilters,
  type ScanOptions,
} from './discovered.ts';
export { ScanError, type ScanErrorKind, type ScanFailure } from './scan-error.ts';
export { createEc2Scanner, type Ec2ScannerOptions } from './scanner.ts';
