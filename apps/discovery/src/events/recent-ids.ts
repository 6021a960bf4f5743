/** The latest of many ids: enough to know most duplicates, since SQS and EventBridge repeat within minutes. */
export class RecentIds {
  readonly #limit: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  /** @param limit at least this many are known, at most twice as many kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns whether it was there already */
  add(id: string): boolean {
    const known = this.#newer.has(id) || this.#older.has(id);
    this.#newer.add(id);
    if (this.#newer.size >= this.#limit) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    return known;
  }
}
