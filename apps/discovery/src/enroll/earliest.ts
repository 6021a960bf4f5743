/** The first few of many by their order, kept sorted as they come: no sort of the whole. */
export class Earliest<Item> {
  readonly #room: number;
  readonly #compare: (a: Item, b: Item) => number;
  readonly #items: Item[] = [];

  constructor(room: number, compare: (a: Item, b: Item) => number) {
    this.#room = room;
    this.#compare = compare;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  offer(item: Item): void {
    if (this.#room === 0) return;
    const last = this.#items.at(-1);
    if (this.#items.length === this.#room && last !== undefined && this.#compare(item, last) >= 0) return;
    this.#items.splice(this.#place(item), 0, item);
    if (this.#items.length > this.#room) this.#items.pop();
  }

  #place(item: Item): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#items[middle];
      if (there !== undefined && this.#compare(there, item) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
