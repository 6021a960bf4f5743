export interface CacheLimits {
  readonly entries: number;
  /** Of all values together, as `weigh` has it. */
  readonly weight: number;
}

/** Values by their text, the most recently used ones. */
export class RecentlyUsed<T> {
  readonly #limits: CacheLimits;
  readonly #weigh: (text: string, value: T) => number;
  readonly #values = new Map<string, T>();
  #weight = 0;

  constructor(limits: CacheLimits, weigh: (text: string, value: T) => number) {
    this.#limits = limits;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The value kept for this text, or what `make` makes, which is kept unless it throws. */
  get(text: string, make: () => T): T {
    const kept = this.#values.get(text);
    if (kept !== undefined) {
      this.#values.delete(text);
      this.#values.set(text, kept);
      return kept;
    }
    const made = make();
    this.#values.set(text, made);
    this.#weight += this.#weigh(text, made);
    this.#forgetOldest();
    return made;
  }

  #forgetOldest(): void {
    for (const [text, value] of this.#values) {
      const { entries, weight } = this.#limits;
      if (this.#values.size <= entries && this.#weight <= weight) return;
      this.#values.delete(text);
      this.#weight -= this.#weigh(text, value);
    }
  }
}
