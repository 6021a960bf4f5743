interface Node<Item> {
  readonly name: string;
  item: Item;
  before: Node<Item> | undefined;
  after: Node<Item> | undefined;
}

/**
 * First in, first out, by name: an item is found, replaced in its place, or taken out of the middle in
 * constant time. A linked list, because a Map that is emptied from its front is searched again from
 * there on every step.
 */
export class Lane<Item> {
  readonly #nodes = new Map<string, Node<Item>>();
  #first: Node<Item> | undefined;
  #last: Node<Item> | undefined;

  get size(): number {
    return this.#nodes.size;
  }

  get(name: string): Item | undefined {
    return this.#nodes.get(name)?.item;
  }

  /** The item that has waited longest. */
  peek(): Item | undefined {
    return this.#first?.item;
  }

  /** Appends, or replaces the item of this name where it stands. */
  put(name: string, item: Item): void {
    const present = this.#nodes.get(name);
    if (present !== undefined) {
      present.item = item;
      return;
    }
    const node: Node<Item> = { name, item, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
    this.#nodes.set(name, node);
  }

  /** Puts an item back in front of all others; one of this name must not be there. */
  putBack(name: string, item: Item): void {
    const node: Node<Item> = { name, item, before: undefined, after: this.#first };
    if (this.#first === undefined) this.#last = node;
    else this.#first.before = node;
    this.#first = node;
    this.#nodes.set(name, node);
  }

  /** Takes the item of this name out. */
  remove(name: string): Item | undefined {
    const node = this.#nodes.get(name);
    if (node === undefined) return undefined;
    if (node.before === undefined) this.#first = node.after;
    else node.before.after = node.after;
    if (node.after === undefined) this.#last = node.before;
    else node.after.before = node.before;
    this.#nodes.delete(name);
    return node.item;
  }

  /** Takes up to `limit` items from the front, oldest first. */
  take(limit: number): Item[] {
    return this.takeWhile(limit, () => true);
  }

  /** As `take`, up to the first item that is not wanted. */
  takeWhile(limit: number, wanted: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    while (taken.length < limit && this.#first !== undefined && wanted(this.#first.item)) {
      taken.push(this.#first.item);
      this.remove(this.#first.name);
    }
    return taken;
  }
}
