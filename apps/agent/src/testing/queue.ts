/** Generous: the machine may be busy with other tests. */
const TIMEOUT_MS = 20_000;

/** What a test waits for, in order. */
export class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #takers: ((item: Item) => void)[] = [];

  /** How many came that nobody took. */
  get length(): number {
    return this.#items.length;
  }

  put(item: Item): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  /** @param what named when it does not come in time; undefined: waits for ever */
  async take(what?: string): Promise<Item> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return item;
    return new Promise((resolve, reject) => {
      const timer =
        what === undefined
          ? undefined
          : setTimeout(() => {
              reject(new Error(`${what} did not come within ${TIMEOUT_MS} ms`));
            }, TIMEOUT_MS);
      this.#takers.push((taken) => {
        clearTimeout(timer);
        resolve(taken);
      });
    });
  }
}
