import type { InstanceState } from '@tagplane/ec2';
import type { InstanceId, InstanceKey } from '@tagplane/identity';

/** An account's region. */
export type Place = Pick<InstanceKey, 'account' | 'region'>;

export function placeText({ account, region }: Place): string {
  return `${account}/${region}`;
}

/** An instance that a block with `enroll` matches. */
export interface EnrolmentCandidate {
  readonly key: InstanceKey;
  readonly state: InstanceState;
  readonly platform: 'linux' | 'windows';
  /** Place of the block in the configuration: the earliest with `enroll` that matches. */
  readonly block: number;
}

/** What SSM knows of the instances of one account and region. */
export type SsmPlace =
  /** It has not been asked yet. */
  | { readonly kind: 'unknown' }
  /** It did not tell; `reason` is for a person. */
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'known'; readonly online: ReadonlyMap<InstanceId, boolean> };

/** How fast one block's instances are enrolled. */
export interface EnrolmentLimits {
  /** Attempts begun within any 60 s. */
  readonly capPerMinute: number;
  /** Attempts at a time, from the claim until the agent came or the attempt failed. */
  readonly maxInFlight: number;
}

/** All that a plan goes by, beside what was tried before. */
export interface EnrolmentFacts {
  /** Each instance once. */
  readonly candidates: Iterable<EnrolmentCandidate>;
  /** Whether all scopes have been scanned: what is no candidate then is gone. */
  readonly complete: boolean;
  /** `account/region/instance` of the instances that a node speaks for; undefined: nobody told yet. */
  readonly agents: ReadonlySet<string> | undefined;
  ssm(place: Place): SsmPlace;
  limits(block: number): EnrolmentLimits;
}
