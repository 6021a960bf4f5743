const SLOT_MS = 1_000;
const SLOTS = 60;

/** Counts what happened in the last minute, to the second. Times are milliseconds of one clock. */
export class RequestWindow {
  readonly #counts = new Uint32Array(SLOTS);
  #slot = 0;

  add(now: number): void {
    this.#turn(now);
    const index = this.#slot % SLOTS;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** A second, on the average of the last minute. */
  perSecond(now: number): number {
    this.#turn(now);
    return this.#counts.reduce((sum, count) => sum + count, 0) / SLOTS;
  }

  #turn(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    const from = Math.max(this.#slot + 1, slot - SLOTS + 1);
    for (let passed = from; passed <= slot; passed += 1) this.#counts[passed % SLOTS] = 0;
    this.#slot = Math.max(this.#slot, slot);
  }
}
