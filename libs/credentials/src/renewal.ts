import { MINUTE, SECOND, jittered } from '@tagplane/runtime';
import type { Credentials } from './credentials.ts';

/** Certificates are dated back by this, for machines whose clock is behind. */
const BACKDATED_MS = 15 * MINUTE;
/** The last third, four hours of twelve, is for everything that may go wrong. */
const RENEWED_AT_SHARE = 2 / 3;
/** ± share, so that what was certified together is not renewed together: 96 min of twelve hours. */
const JITTER = 0.1;

const RETRY_FIRST_MS = 2 * SECOND;
const RETRY_LONGEST_MS = 10 * MINUTE;
/** Of what is left: at least four more attempts before the end, however late it is. */
const RETRY_SHARE = 1 / 4;
const RETRY_SHORTEST_MS = 250;

/**
 * How long a certificate is good for, in milliseconds from its receipt. Of its own two dates, so that the
 * clocks of auth service and holder need not agree.
 */
export function lifeMs({ validFrom, validUntil }: Pick<Credentials, 'validFrom' | 'validUntil'>): number {
  const dated = Math.max(0, validUntil - validFrom);
  return dated > BACKDATED_MS ? dated - BACKDATED_MS : dated;
}

/** When to renew, in milliseconds from receipt: two thirds of the life, give or take a tenth of that. */
export function renewalDelayMs(life: number, random: () => number): number {
  return jittered(life * RENEWED_AT_SHARE, JITTER, random);
}

/**
 * How long to wait after a renewal failed: twice as long each time, up to ten minutes, before the end never
 * more than a quarter of what is left, and of that the second half at random.
 *
 * @param failures how many there were since the last success; 1 for the first
 * @param remaining milliseconds until the certificate ends; zero or less: it has
 */
export function renewalRetryMs(failures: number, remaining: number, random: () => number): number {
  const backoff = RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 30);
  const share = remaining > 0 ? remaining * RETRY_SHARE : Infinity;
  const ceiling = Math.min(RETRY_LONGEST_MS, backoff, share);
  return Math.max(RETRY_SHORTEST_MS, ceiling / 2 + (random() * ceiling) / 2);
}

/**
 * How long to wait when all holders are told at once to renew.
 *
 * @param within spread over this many milliseconds
 * @param remaining milliseconds until the certificate ends: half of it is kept
 */
export function spreadRenewalMs(within: number, remaining: number, random: () => number): number {
  return random() * Math.max(0, Math.min(within, remaining / 2));
}
