import { MINUTE } from '@tagplane/runtime';

/** A change that took longer came some other way, or waits for an operator. */
const KEPT_MS = 10 * MINUTE;
/** As many as may wait to be described. */
const MAX_NAMES = 100_000;

/** From an event to the auth service's answer: when what is on its way was changed, by ServerInfo name. */
export class EventLag {
  readonly #changedAt = new Map<string, number>();

  get size(): number {
    return this.#changedAt.size;
  }

  /** What an event brought is on its way. An earlier one that still is counts as the start. */
  begin(name: string, changedAt: number, now: number): void {
    const before = this.#changedAt.get(name);
    if (before !== undefined && now - before < KEPT_MS) return;
    if (this.#changedAt.size >= MAX_NAMES) this.#prune(now);
    if (this.#changedAt.size < MAX_NAMES) this.#changedAt.set(name, changedAt);
  }

  /**
   * The auth service took it.
   *
   * @returns milliseconds since the change; undefined when no event brought it
   */
  end(name: string, now: number): number | undefined {
    const changedAt = this.#changedAt.get(name);
    this.#changedAt.delete(name);
    return changedAt !== undefined && now - changedAt < KEPT_MS ? Math.max(0, now - changedAt) : undefined;
  }

  #prune(now: number): void {
    for (const [name, changedAt] of this.#changedAt) {
      if (now - changedAt >= KEPT_MS) this.#changedAt.delete(name);
    }
  }
}
