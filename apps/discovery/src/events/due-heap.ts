/** Something that becomes due. */
export interface Timed {
  /** Unix milliseconds; not changed while it is in the heap. */
  readonly dueAt: number;
}

/** What is due first comes first: a binary heap, logarithmic in its size. */
export class DueHeap<Item extends Timed> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** When the first is due; undefined when there is none. */
  get nextAt(): number | undefined {
    return this.#items[0]?.dueAt;
  }

  push(item: Item): void {
    const items = this.#items;
    let place = items.length;
    items.push(item);
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const other = items[above];
      if (other === undefined || other.dueAt <= item.dueAt) break;
      items[place] = other;
      place = above;
    }
    items[place] = item;
  }

  /** Takes the first one out if it is due. */
  popDue(now: number): Item | undefined {
    const [first] = this.#items;
    if (first === undefined || first.dueAt > now) return undefined;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: Item): void {
    const items = this.#items;
    for (let place = 0; ;) {
      let below = 2 * place + 1;
      const [left, right] = [items[below], items[below + 1]];
      if (right !== undefined && left !== undefined && right.dueAt < left.dueAt) below += 1;
      const child = items[below];
      if (child === undefined || child.dueAt >= item.dueAt) {
        items[place] = item;
        return;
      }
      items[place] = child;
      place = below;
    }
  }
}
