import { isGone } from './instance.ts';
import type { SimInstance } from './instance.ts';

/** Gone instances are swept out once they are this share of a region: amortised, a sweep costs nothing. */
const SWEEP_SHARE = 0.25;

/** The instances of one account in one region, in the order in which they were started. */
export class RegionFleet {
  readonly #byId = new Map<string, SimInstance>();
  #ordered: SimInstance[] = [];
  #nextSequence = 1;

  get size(): number {
    return this.#byId.size;
  }

  /** The place in the order for the next instance; never given twice. */
  takeSequence(): number {
    return this.#nextSequence++;
  }

  add(instance: SimInstance): void {
    this.#byId.set(instance.id, instance);
    this.#ordered.push(instance);
  }

  get(id: string, now: number, lingerMs: number): SimInstance | undefined {
    const instance = this.#byId.get(id);
    return instance === undefined || isGone(instance, now, lingerMs) ? undefined : instance;
  }

  /** Instances whose place is after the given one; those that are gone are left out. */
  *after(sequence: number, now: number, lingerMs: number): Generator<SimInstance, void, undefined> {
    this.#sweep(now, lingerMs);
    const ordered = this.#ordered;
    for (let i = firstAfter(ordered, sequence); i < ordered.length; i += 1) {
      const instance = ordered[i];
      if (instance !== undefined && !isGone(instance, now, lingerMs)) yield instance;
    }
  }

  #sweep(now: number, lingerMs: number): void {
    let gone = 0;
    for (const instance of this.#ordered) if (isGone(instance, now, lingerMs)) gone += 1;
    if (gone === 0 || gone < this.#ordered.length * SWEEP_SHARE) return;
    // A new array: a walk over the old one, if any, goes on undisturbed.
    this.#ordered = this.#ordered.filter((instance) => {
      if (!isGone(instance, now, lingerMs)) return true;
      this.#byId.delete(instance.id);
      return false;
    });
  }
}

function firstAfter(ordered: readonly SimInstance[], sequence: number): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle]?.sequence ?? Infinity) <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
