export interface CacheLimits {
  readonly entries: number;
  /** Of all keys together. */
  readonly characters: number;
}

/** Values by their text, the most recently used ones. */
export class RecentlyUsed<T> {
  readonly #limits: CacheLimits;
  readonly #values = new Map<string, T>();
  #characters = 0;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
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
    this.#characters += text.length;
    this.#forgetOldest();
    return made;
  }

  #forgetOldest(): void {
    for (const text of this.#values.keys()) {
      const { entries, characters } = this.#limits;
      if (this.#values.size <= entries && this.#characters <= characters) return;
      this.#values.delete(text);
      this.#characters -= text.length;
    }
  }
}
