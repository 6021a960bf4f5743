import type { CompiledSelector, Labels, SelectorTerm } from '@tagplane/labels';

/** What is found: a ServerInfo with its selector. */
interface Indexed {
  readonly compiled: CompiledSelector;
}

/** Where a selector is filed: under labels that every node it picks has one of, or under all nodes. */
type Place =
  | { readonly kind: 'every' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'values'; readonly key: string; readonly values: readonly string[] };

/**
 * Finds the selectors that hold for some labels without asking each of them: a selector is asked only when
 * one of the labels has the key, and where possible the very value, that one of its terms requires.
 */
export class SelectorIndex<Item extends Indexed> {
  readonly #every = new Set<Item>();
  readonly #byKey = new Map<string, Set<Item>>();
  readonly #byValue = new Map<string, Map<string, Set<Item>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: Item): void {
    this.#size += 1;
    for (const files of this.#filesOf(item)) files.add(item);
  }

  /** @param item one that was added */
  remove(item: Item): void {
    this.#size -= 1;
    for (const files of this.#filesOf(item)) files.delete(item);
    this.#prune(placeOf(item.compiled.selector.terms));
  }

  /** Those that hold, in no order. */
  matching(labels: Labels): Item[] {
    const found: Item[] = [];
    const ask = (items: Iterable<Item> = []): void => {
      for (const item of items) if (item.compiled.matches(labels)) found.push(item);
    };
    ask(this.#every);
    for (const [key, value] of labels) {
      ask(this.#byKey.get(key));
      ask(this.#byValue.get(key)?.get(value));
    }
    return found;
  }

  /** How many are asked for these labels: what `matching` costs. */
  candidates(labels: Labels): number {
    let count = this.#every.size;
    for (const [key, value] of labels) {
      count += (this.#byKey.get(key)?.size ?? 0) + (this.#byValue.get(key)?.get(value)?.size ?? 0);
    }
    return count;
  }

  #filesOf({ compiled }: Item): Set<Item>[] {
    const place = placeOf(compiled.selector.terms);
    switch (place.kind) {
      case 'every':
        return [this.#every];
      case 'key':
        return [entry(this.#byKey, place.key, () => new Set<Item>())];
      case 'values': {
        const byValue = entry(this.#byValue, place.key, () => new Map<string, Set<Item>>());
        return place.values.map((value) => entry(byValue, value, () => new Set<Item>()));
      }
    }
  }

  /** Empty places go: selectors come and go for years. */
  #prune(place: Place): void {
    if (place.kind === 'key' && this.#byKey.get(place.key)?.size === 0) this.#byKey.delete(place.key);
    if (place.kind !== 'values') return;
    const byValue = this.#byValue.get(place.key);
    for (const value of place.values) if (byValue?.get(value)?.size === 0) byValue.delete(value);
    if (byValue?.size === 0) this.#byValue.delete(place.key);
  }
}

/** The term with the fewest exact values; failing that, one that requires a key. */
function placeOf(terms: readonly SelectorTerm[]): Place {
  let best: Place = { kind: 'every' };
  for (const { key, values } of terms) {
    if (key === '*') continue;
    if (!values.every(isText)) {
      if (best.kind === 'every') best = { kind: 'key', key };
    } else if (best.kind !== 'values' || values.length < best.values.length) {
      best = { kind: 'values', key, values: [...new Set(values)] };
    }
  }
  return best;
}

/** Whether the pattern can only be this very text. Of those with an escape some are texts too: not worth it. */
function isText(pattern: string): boolean {
  return !pattern.startsWith('^') && !pattern.includes('*') && !pattern.includes('\\');
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
