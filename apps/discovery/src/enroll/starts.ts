import { MINUTE } from '@tagplane/runtime';

/** Of attempts that an earlier process began, nobody knows under which block: they count against all. */
export const ANY_BLOCK = -1;

/** When attempts began, by block: what counts against the cap of a minute. */
export class Starts {
  readonly #times = new Map<number, number[]>();

  /** How many more may begin now, so that no window of 60 s has more than the cap. */
  room(block: number, cap: number, now: number): number {
    return Math.max(0, cap - this.#recent(block, now).length - this.#recent(ANY_BLOCK, now).length);
  }

  record(block: number, now: number): void {
    const recent = this.#recent(block, now);
    recent.push(now);
    this.#times.set(block, recent);
  }

  /** Those of the last 60 s, the one exactly 60 s ago included. A clock set back lets nothing through early. */
  #recent(block: number, now: number): number[] {
    return (this.#times.get(block) ?? []).filter((at) => now - at <= MINUTE);
  }
}
