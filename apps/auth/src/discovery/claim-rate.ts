import { MINUTE } from '@tagplane/runtime';

/** Claims of one group in a minute, at one auth process: more than a discovery is configured to make. */
export const MAX_CLAIMS = 2_000;
/** Groups that are told apart. */
const MAX_GROUPS = 1_000;

/** Counts the claims of each group, minute by minute. */
export class ClaimRate {
  #minute = 0;
  readonly #counts = new Map<string, number>();

  /** False: that would be too many. */
  take(group: string, claims: number, now: number): boolean {
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.#minute) this.#counts.clear();
    this.#minute = minute;
    const count = (this.#counts.get(group) ?? 0) + claims;
    if (count > MAX_CLAIMS || (!this.#counts.has(group) && this.#counts.size >= MAX_GROUPS)) return false;
    this.#counts.set(group, count);
    return true;
  }
}
