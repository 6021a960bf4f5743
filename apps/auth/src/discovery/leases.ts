import { randomUUID } from 'node:crypto';
import { HOUR, fullJitter, sleep } from '@tagplane/runtime';
import { GuardError } from '@tagplane/store';
import type { Expected, Store } from '@tagplane/store';
import {
  LEASE_PREFIX,
  TERM_PREFIX,
  decodeLease,
  encodeLease,
  leaseBeginning,
  leaseKey,
  termKey,
} from './lease.ts';
import type { Lease } from './lease.ts';

/** Replicas that ask at once: each write lets one of them through. */
const CONFLICT_RETRY = { baseMs: 2, maxMs: 100 };
/** It is only compared with while a lease is taken. */
const TERM_TTL_MS = 24 * HOUR;
/** Groups that `list` and the status look at. */
export const MAX_GROUPS = 1_000;

export interface LeaseRequest {
  readonly group: string;
  readonly identity: string;
  readonly replica: string;
  /** Of the lease to renew; 0: of none. */
  readonly token: bigint;
  readonly ttlMs: number;
}

/** Whose lease it is now: the caller's if `held`. */
export type HoldAnswer = { readonly held: boolean } & Pick<Lease, 'token' | 'replica' | 'expiresAt'>;

/** A new group, when there are as many as there may be. */
export class TooManyGroupsError extends Error {
  override readonly name = 'TooManyGroupsError';
}

type HoldPlan = { readonly do: 'take' } | { readonly do: 'renew' | 'wait'; readonly lease: Lease };

/** What a request may do about the lease that there is. */
export function planHold(
  lease: Lease | undefined,
  { identity, replica, token }: Pick<LeaseRequest, 'identity' | 'replica' | 'token'>,
): HoldPlan {
  if (lease === undefined) return { do: 'take' };
  if (lease.identity !== identity || lease.replica !== replica) return { do: 'wait', lease };
  // Its own, without the token: the answer that had it was lost. A new one fences off whatever came of that.
  if (token === 0n) return { do: 'take' };
  return { do: BigInt(lease.token) === token ? 'renew' : 'wait', lease };
}

/** The leases of discovery groups, in the store of the ServerInfos. */
export class Leases {
  readonly #store: Store;
  readonly #now: () => number;

  constructor({ store, now = () => Date.now() }: { readonly store: Store; readonly now?: () => number }) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Takes the lease or renews it, if it is free or the caller's.
   *
   * @throws TooManyGroupsError
   */
  async hold(request: LeaseRequest, signal: AbortSignal): Promise<HoldAnswer> {
    const { replica, ttlMs } = request;
    for (let attempt = 0; ; attempt += 1) {
      const lease = await this.find(request.group, signal);
      const plan = planHold(lease, request);
      if (plan.do === 'wait') return { held: false, ...plan.lease };
      const token = plan.do === 'renew' ? plan.lease.token : await this.#take(request, lease, signal);
      if (token !== undefined && (plan.do === 'take' || (await this.#renew(plan.lease, ttlMs, signal)))) {
        return { held: true, token, replica, expiresAt: this.#now() + ttlMs };
      }
      await sleep(fullJitter(attempt, CONFLICT_RETRY), signal);
    }
  }

  /** Frees the lease, if it is still this one. */
  async release(
    held: Pick<Lease, 'group' | 'identity'> & { token: bigint },
    signal: AbortSignal,
  ): Promise<boolean> {
    const key = leaseKey(held.group);
    const guard = { key, startsWith: leaseBeginning(held.token, held.identity) };
    try {
      const [result] = await this.#store.delete([{ key }], { signal, guard });
      return result?.written === true;
    } catch (error) {
      if (error instanceof GuardError) return false;
      throw error;
    }
  }

  /** The lease that is live now. */
  async find(group: string, signal: AbortSignal): Promise<Lease | undefined> {
    const [found] = await this.#store.getMany([leaseKey(group)], { signal });
    return found?.state === 'live' ? decodeLease(found) : undefined;
  }

  /** All that are live, by group. */
  async list(signal: AbortSignal): Promise<Lease[]> {
    const entries = await this.#store.range({ prefix: LEASE_PREFIX, limit: MAX_GROUPS }, { signal });
    return entries.flatMap((entry) => decodeLease(entry) ?? []);
  }

  async #renew(lease: Lease, ttlMs: number, signal: AbortSignal): Promise<boolean> {
    const put = { key: leaseKey(lease.group), value: encodeLease(lease), ttlMs };
    const [result] = await this.#store.put([{ ...put, expected: { revision: lease.revision } }], { signal });
    return result?.written === true;
  }

  /**
   * The token is the revision of a write that no other attempt's may follow: revisions rise, and over a loss of
   * all data too, by the store's clock.
   *
   * @returns the token; undefined when somebody else was faster
   */
  async #take(
    { group, identity, replica, ttlMs }: LeaseRequest,
    lease: Lease | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    await this.#checkNumber(group, signal);
    const attempt = randomUUID();
    const term = { key: termKey(group), value: attempt, ttlMs: TERM_TTL_MS };
    const [taken] = await this.#store.put([term], { signal });
    if (taken?.written !== true) return undefined;
    const token = taken.revision;
    const put = { key: leaseKey(group), value: encodeLease({ token, identity, replica }), ttlMs };
    const expected: Expected = lease === undefined ? { live: false } : { revision: lease.revision };
    const guard = { key: term.key, startsWith: attempt };
    try {
      const [result] = await this.#store.put([{ ...put, expected }], { signal, guard });
      return result?.written === true ? token : undefined;
    } catch (error) {
      if (error instanceof GuardError) return undefined;
      throw error;
    }
  }

  /** @throws TooManyGroupsError */
  async #checkNumber(group: string, signal: AbortSignal): Promise<void> {
    const [term] = await this.#store.getMany([termKey(group)], { signal });
    if (term?.state === 'live') return;
    if ((await this.#store.count(TERM_PREFIX, { signal })) >= MAX_GROUPS) throw new TooManyGroupsError();
  }
}
