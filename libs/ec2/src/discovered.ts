import type { InstanceId, InstanceKey, Region } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';

export const INSTANCE_STATES = [
  'pending',
  'running',
  'shutting-down',
  'terminated',
  'stopping',
  'stopped',
] as const;

export type InstanceState = (typeof INSTANCE_STATES)[number];

/** `windows` when EC2 says so; everything else is `linux`, as EC2 itself has it. */
export type Platform = 'linux' | 'windows';

/** An instance as EC2 described it. */
export interface DiscoveredInstance {
  readonly key: InstanceKey;
  readonly state: InstanceState;
  /** By EC2's own tag key, without a namespace. */
  readonly tags: Labels;
  /** Such as `vpc-0a1b2c3d`; EC2 takes it from an instance that is terminated. */
  readonly vpc: string | undefined;
  readonly platform: Platform;
}

/** An instance that EC2 described in a way that cannot be used, and why. */
export interface RejectedInstance {
  /** The instance id as it came, or empty when there was none. */
  readonly instance: string;
  readonly reason: string;
}

export interface DiscoveredPage {
  readonly instances: readonly DiscoveredInstance[];
  readonly rejected: readonly RejectedInstance[];
  /** Requests that this page took, retries included. */
  readonly requests: number;
}

/** Which instances are wanted; one must fit all of what is given. An empty list is as none. */
export interface ScanFilters {
  /**
   * Values by tag key; an instance must have every key with one of its values. `*` and `?` are EC2's
   * wildcards. No values: the key must be there, with any value.
   */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  /** Ids of VPCs, without wildcards. */
  readonly vpcs?: readonly string[];
  /** Terminated instances are always looked at, whatever this says. */
  readonly states?: readonly InstanceState[];
  readonly platforms?: readonly Platform[];
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  readonly filters?: ScanFilters;
}

/** Describes the instances of one region, with one set of credentials. */
export interface Ec2Scanner {
  readonly region: Region;
  /**
   * All instances that fit the filters, a page at a time; the scan is complete when the pages end. Any
   * failure throws a `ScanError`, and what came before is then only a part. An instance that changes
   * meanwhile may come twice: the later one counts.
   */
  scan(options: ScanOptions): AsyncIterable<DiscoveredPage>;
  /**
   * Instances by their ids, whatever filters a scan has. Those that EC2 does not know are not in the answer.
   *
   * @param ids at most 100
   * @throws ScanError, also with no answer for some of them
   * @throws RangeError for more than 100 ids
   */
  describe(ids: readonly InstanceId[], options: { readonly signal: AbortSignal }): Promise<DiscoveredPage>;
  /** Closes kept connections. */
  [Symbol.dispose](): void;
}
