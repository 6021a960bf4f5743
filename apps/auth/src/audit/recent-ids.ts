/** As many as the feed may report while a range is read, and then some. */
const LIMIT = 10_000;

/** Remembers the latest ids, so that what is read twice is sent once. */
export class RecentIds {
  readonly #ids = new Set<string>();

  /** Whether the id is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    if (this.#ids.size >= LIMIT) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    this.#ids.add(id);
    return true;
  }
}
