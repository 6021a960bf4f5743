/** Beyond, the oldest are forgotten, and counted again. */
const MAX_NODES = 100_000;

/**
 * Nodes that operators changed within the window: one that changes again is not one more. Each auth process
 * knows its own; what another one let go is counted again, which errs on the safe side.
 */
export class RecentNodes {
  readonly #windowMs: number;
  readonly #now: () => number;
  /** When each was counted, the oldest first. */
  readonly #counted = new Map<string, number>();

  constructor(windowMs: number, now: () => number) {
    this.#windowMs = windowMs;
    this.#now = now;
  }

  has(name: string): boolean {
    const at = this.#counted.get(name);
    return at !== undefined && this.#now() - at < this.#windowMs;
  }

  /** These are counted with the guard now, unless they are already. */
  note(names: Iterable<string>): void {
    const now = this.#now();
    for (const name of names) {
      if (this.has(name)) continue;
      this.#counted.delete(name);
      this.#counted.set(name, now);
    }
    for (const [name, at] of this.#counted) {
      if (this.#counted.size <= MAX_NODES && now - at < this.#windowMs) return;
      this.#counted.delete(name);
    }
  }
}
