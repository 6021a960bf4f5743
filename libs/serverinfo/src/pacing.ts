import { MINUTE, SECOND } from './durations.ts';

/** RFD 105: batches of at least 5, one a second, everything within 15 minutes. */
export const MIN_BATCH_SIZE = 5;
/** What one request may carry; reached at a queue of 900,000. */
export const MAX_BATCH_SIZE = 1_000;
export const BATCH_INTERVAL_MS = SECOND;
/** Five calls a second of 100 items: at most 500 items a second, 0.2 s of waiting (ADR 0026). */
export const EXPRESS_BATCH_SIZE = 100;
export const EXPRESS_INTERVAL_MS = 200;
/** Two seconds of the express lane: what does not leave that soon is a scan's amount, and is paced as one. */
export const MAX_EXPRESS_LENGTH = 1_000;
/** One batch a second for 15 minutes. */
export const BATCHES_PER_TARGET = (15 * MINUTE) / BATCH_INTERVAL_MS;
/** RFD 105: the sweep reads pages of at least 100, one a second. */
export const MIN_SWEEP_PAGE_SIZE = 100;
export const MAX_SWEEP_PAGE_SIZE = 1_000;

export const TTL_MS = 90 * MINUTE;
/** Jitter spreads renewals, so that one scan does not renew a whole fleet at once. */
export const TTL_JITTER_MS = 10 * MINUTE;
/** How long before its expiry a ServerInfo is written again. */
export const RENEW_BEFORE_MS = 30 * MINUTE;
/**
 * Six missed scans of five minutes. With it, no label outlives EC2's last word by more than two hours:
 * 30 min until the last write, and the 90 min of that.
 */
export const MAX_OBSERVATION_AGE_MS = 30 * MINUTE;
/** A content that was refused is offered again after this, should the rules have changed. */
export const RETRY_REFUSED_MS = 60 * MINUTE;
/**
 * Kept free at the top of the jitter, so that a renewal still leaves within 60 min of the write: 5 s
 * until the renewals are looked at, 1 s for a batch's turn, and the answer's way before them.
 */
const RENEWAL_SLACK_MS = 15 * SECOND;

/**
 * The smallest batch that sends a queue of this length within 15 minutes: 5 up to 4,500, 12 at 10,000,
 * 112 at 100,000.
 */
export function batchSize(queueLength: number): number {
  return Math.min(MAX_BATCH_SIZE, Math.max(MIN_BATCH_SIZE, Math.ceil(queueLength / BATCHES_PER_TARGET)));
}

/**
 * The size of the next batch, given that of the one before: it grows with the queue and shrinks only
 * when the queue has run empty. Taken from the length alone, the batch would shrink with the queue that
 * it drains, and 100,000 items would take an hour instead of 15 minutes.
 */
export function nextBatchSize(previous: number, queueLength: number): number {
  return queueLength === 0 ? MIN_BATCH_SIZE : Math.max(previous, batchSize(queueLength));
}

/**
 * The smallest page with which a sweep over `total` ServerInfos, a page a second, takes 15 minutes at
 * most; never more than a range of the store returns, 1,000, which is reached at 900,000.
 */
export function sweepPageSize(total: number): number {
  const page = Math.max(MIN_SWEEP_PAGE_SIZE, Math.ceil(total / BATCHES_PER_TARGET));
  return Math.min(MAX_SWEEP_PAGE_SIZE, page);
}

/** The time to live of one write, whole milliseconds: evenly between 80 and (15 s short of) 90 minutes. */
export function drawTtl(random: () => number): number {
  const spread = TTL_JITTER_MS - RENEWAL_SLACK_MS;
  return TTL_MS - TTL_JITTER_MS + Math.floor(random() * spread);
}
