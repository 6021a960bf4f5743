import type { FoundInstance } from './found-instance.ts';
import type { Known } from './known.ts';
import { MAX_OBSERVATION_AGE_MS, RENEW_BEFORE_MS } from './pacing.ts';

/** Why an upsert is due. */
export type UpsertReason = 'changed' | 'new' | 'renewal';

/** One piece of work for the auth service. */
export type Work = (
  | {
      readonly action: 'upsert';
      readonly name: string;
      readonly reason: UpsertReason;
      readonly found: FoundInstance;
    }
  | { readonly action: 'delete'; readonly name: string }
) & {
  /** It goes by the express lane, while there is room: a word of it came ahead of the scans. */
  readonly urgent?: boolean;
};

/** What a complete scan asks for. */
export interface Plan {
  /** Deletions and upserts, in the order of the scan. */
  readonly due: readonly Work[];
  /** Names for which nothing is due: whatever is queued for them is out of date. */
  readonly settled: readonly string[];
}

/** Looks up what the auth service has accepted under a name. */
export interface KnownLookup {
  get(name: string): Known | undefined;
}

/**
 * Compares what a scan found with what the auth service is known to hold. An instance that is not among
 * the found is not decided on: its time to live runs.
 *
 * @param now Unix milliseconds, by the clock that `known` was recorded with
 */
export function planUpserts(known: KnownLookup, found: Iterable<FoundInstance>, now: number): Plan {
  const due: Work[] = [];
  const settled: string[] = [];
  for (const instance of found) {
    const work = planInstance(known.get(instance.name), instance, now);
    if (work === undefined) settled.push(instance.name);
    else due.push(work);
  }
  return { due, settled };
}

/** Whether EC2's word on the instance is too old (30 min) to be written. */
export function isOutdated(found: FoundInstance, now: number): boolean {
  return now - found.observedAt > MAX_OBSERVATION_AGE_MS;
}

/**
 * What is due for one found instance, or undefined. Nothing is written on EC2's word of more than
 * `MAX_OBSERVATION_AGE_MS` ago: while EC2 cannot be asked, what is stored runs out as promised.
 */
export function planInstance(known: Known | undefined, found: FoundInstance, now: number): Work | undefined {
  const { name } = found;
  if (found.state === 'terminated') return known === undefined ? undefined : { action: 'delete', name };
  if (isOutdated(found, now)) return undefined;
  const reason = upsertReason(known, found.revision, now);
  return reason && { action: 'upsert', name, reason, found };
}

function upsertReason(known: Known | undefined, revision: string, now: number): UpsertReason | undefined {
  switch (known?.state) {
    case undefined:
      return 'new';
    case 'unsure':
      return 'changed';
    case 'refused':
      if (known.revision !== revision) return 'changed';
      return now < known.retryAt ? undefined : 'renewal';
    case 'accepted':
      if (known.expiresAt <= now) return 'new';
      if (known.revision !== revision) return 'changed';
      return known.expiresAt - now <= RENEW_BEFORE_MS ? 'renewal' : undefined;
  }
}

/** Whether time alone has made something due, so that the instance is worth another `planInstance`. */
export function isTimeUp(known: Known, now: number): boolean {
  switch (known.state) {
    case 'accepted':
      return known.expiresAt - now <= RENEW_BEFORE_MS;
    case 'refused':
      return known.retryAt <= now;
    case 'unsure':
      return false;
  }
}
