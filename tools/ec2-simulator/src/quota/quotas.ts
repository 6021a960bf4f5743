import { AwsError } from '../aws-error.ts';
import type { ServiceRequest } from '../service.ts';
import { bucketOf } from './buckets.ts';
import type { BucketSize } from './buckets.ts';

/** What was taken of one bucket of an account in a region. */
export interface BucketUsage {
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  readonly size: number;
  /** Tokens a second. */
  readonly refill: number;
  readonly taken: number;
  readonly refused: number;
  /** The fewest tokens that the bucket ever held. */
  readonly least: number;
}

interface Bucket {
  readonly size: BucketSize;
  tokens: number;
  at: number;
  taken: number;
  refused: number;
  least: number;
}

const SECOND_MS = 1000;

/**
 * EC2's token buckets per account, region and action. They always count; they refuse only when enforced.
 */
export class Quotas {
  /** Whether an empty bucket refuses. */
  enforced: boolean;
  readonly #initially: boolean;
  #buckets = new Map<string, Bucket>();

  constructor(enforced: boolean) {
    this.enforced = enforced;
    this.#initially = enforced;
  }

  /** Throws AwsError when the bucket is empty, and takes a token from it otherwise. */
  take(
    { caller, parameters, now }: Pick<ServiceRequest, 'caller' | 'parameters' | 'now'>,
    action: string,
  ): void {
    if (caller.service !== 'ec2') return;
    const { name, size } = bucketOf(action, parameters);
    const key = JSON.stringify([caller.account, caller.region, name]);
    const bucket = this.#buckets.get(key) ?? full(size, now);
    this.#buckets.set(key, bucket);
    const earned = (Math.max(now - bucket.at, 0) / SECOND_MS) * size.refill;
    bucket.tokens = Math.min(size.size, bucket.tokens + earned);
    bucket.at = now;
    if (bucket.tokens < 1) {
      bucket.refused += 1;
      if (this.enforced) throw new AwsError('RequestLimitExceeded', 'Request limit exceeded.', 503);
      bucket.taken += 1;
      return;
    }
    bucket.tokens -= 1;
    bucket.taken += 1;
    bucket.least = Math.min(bucket.least, bucket.tokens);
  }

  usage(): BucketUsage[] {
    return [...this.#buckets].map(([key, { size, taken, refused, least }]) => {
      const [account = '', region = '', bucket = ''] = JSON.parse(key) as string[];
      return { account, region, bucket, ...size, taken, refused, least };
    });
  }

  reset(): void {
    this.enforced = this.#initially;
    this.#buckets = new Map();
  }
}

function full(size: BucketSize, now: number): Bucket {
  return { size, tokens: size.size, at: now, taken: 0, refused: 0, least: size.size };
}
