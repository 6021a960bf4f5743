import type { AccountId, Region } from '@tagplane/identity';
import { PacedPlace } from './paced-place.ts';
import type { RequestPacer } from './request-pacer.ts';
import { AWS_BUCKETS } from './token-bucket.ts';

/** EC2 counts requests by account and region. */
export interface QuotaPlace {
  /** Undefined for the account of the process's own credentials, while it is not known. */
  readonly account: AccountId | undefined;
  readonly region: Region;
}

export interface PlaceUsage extends QuotaPlace {
  /** Since the start, retries included. */
  readonly requests: number;
  /** Requests that EC2 throttled. */
  readonly throttles: number;
  /** Of EC2's own rate, the share used in the last minute: 0 to 1. */
  readonly quotaUsed: number;
  /** How long a request that came now would wait for its turn, in milliseconds. */
  readonly behindMs: number;
  /** Requests a second that may be made now: the configured share, or less after a throttle. */
  readonly ratePerSecond: number;
}

export interface QuotaGovernorOptions {
  /** Of EC2's buckets, both of their burst and of their rate: above 0, at most 1. */
  readonly share: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
}

export interface QuotaGovernor {
  /** The same one for the same place: whoever scans it shares its budget. */
  pacer(place: QuotaPlace): RequestPacer;
  /** Of every place that was ever asked for, in that order. */
  usage(): PlaceUsage[];
}

/**
 * Keeps the requests to EC2 below a share of its quota, place by place, and gives way when it throttles.
 *
 * @throws RangeError for a share that is none
 */
export function createQuotaGovernor(options: QuotaGovernorOptions): QuotaGovernor {
  const { share, now = () => performance.now(), random = Math.random } = options;
  if (!(share > 0 && share <= 1)) throw new RangeError(`no share of a quota: ${share}`);
  const { capacity, refillPerSecond } = AWS_BUCKETS.paged;
  // A bucket that holds less than one token never lets anything pass.
  const size = { capacity: Math.max(1, capacity * share), refillPerSecond: refillPerSecond * share };
  const places = new Map<string, { readonly place: QuotaPlace; readonly paced: PacedPlace }>();
  return {
    pacer: ({ account, region }) => {
      const key = `${account ?? ''}/${region}`;
      const known = places.get(key);
      if (known !== undefined) return known.paced;
      const paced = new PacedPlace(size, { now, random });
      places.set(key, { place: { account, region }, paced });
      return paced;
    },
    usage: () =>
      [...places.values()].map(({ place, paced }) => ({
        ...place,
        requests: paced.requests,
        throttles: paced.throttles,
        quotaUsed: Math.min(1, paced.perSecond / refillPerSecond),
        behindMs: paced.behindMs,
        ratePerSecond: paced.rate,
      })),
  };
}
