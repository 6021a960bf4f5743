import { createGate } from '../control/wakeup.ts';

/**
 * Items that wait for work, each at most once, in order. One that is added while it is being worked on
 * comes again when that is done: two workers never have the same item.
 */
export class ReconcileQueue<Item> {
  readonly #waiting = new Set<Item>();
  readonly #working = new Set<Item>();
  readonly #again = new Set<Item>();
  readonly #gates: ReturnType<typeof createGate>[] = [];

  get size(): number {
    return this.#waiting.size + this.#again.size;
  }

  add(item: Item): void {
    if (this.#working.has(item)) {
      this.#again.add(item);
      return;
    }
    this.#waiting.add(item);
    this.#gates.shift()?.open();
  }

  delete(item: Item): void {
    this.#waiting.delete(item);
    this.#again.delete(item);
  }

  /** At least one item, as soon as there is one. Rejects with the signal's reason. */
  async take(limit: number, signal: AbortSignal): Promise<Item[]> {
    while (this.#waiting.size === 0) {
      const gate = createGate();
      this.#gates.push(gate);
      await gate.passed(signal);
    }
    const batch: Item[] = [];
    for (const item of this.#waiting) {
      batch.push(item);
      if (batch.length === limit) break;
    }
    for (const item of batch) {
      this.#waiting.delete(item);
      this.#working.add(item);
    }
    return batch;
  }

  /** These are not being worked on any more. */
  done(batch: readonly Item[]): void {
    for (const item of batch) {
      this.#working.delete(item);
      if (this.#again.delete(item)) this.add(item);
    }
  }
}
