import type { InstanceKey, Region } from '@tagplane/identity';
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

/** An instance as EC2 described it. */
export interface DiscoveredInstance {
  readonly key: InstanceKey;
  readonly state: InstanceState;
  /** By EC2's own tag key, without a namespace. */
  readonly tags: Labels;
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

export interface ScanFilters {
  /**
   * Values by tag key; an instance must have every key with one of its values. `*` and `?` are EC2's
   * wildcards. No values: the key must be there, with any value.
   */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  readonly filters?: ScanFilters;
}

/** Describes the instances of one region, with one set of credentials. */
export interface Ec2Scanner {
  readonly region: Region;
  /**
   * All instances, a page at a time; the scan is complete when the pages end. Any failure throws a
   * `ScanError`, and what came before is then only a part.
   */
  scan(options: ScanOptions): AsyncIterable<DiscoveredPage>;
  /** Closes kept connections. */
  [Symbol.dispose](): void;
}
