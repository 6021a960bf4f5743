import { compileSelector } from './compile-selector.ts';
import { SelectorError } from './selector-error.ts';
import type { Selector, SelectorTerm } from './selector.ts';

/** A selector as YAML and JSON documents have it: a value or a list of values by key. */
export type SelectorMap = Readonly<Record<string, string | readonly string[]>>;

export function selectorToMap({ terms }: Selector): SelectorMap {
  const entries = terms.map(({ key, values: [first, ...rest] }): [string, string | string[]] => [
    key,
    first === undefined ? [] : rest.length === 0 ? first : [first, ...rest],
  ]);
  return Object.fromEntries(entries);
}

/**
 * Reads what a parser of YAML or JSON made of it.
 *
 * @throws SelectorError whose text is the key or the pattern that is wrong
 */
export function selectorFromMap(map: unknown): Selector {
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new SelectorError('a selector is a map of keys to values', String(map), 0);
  }
  const terms = Object.entries(map).map(([key, value]): SelectorTerm => ({
    key,
    values: valuesOf(key, value),
  }));
  return compileSelector({ terms }).selector;
}

function valuesOf(key: string, value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.map((each) => {
    if (typeof each === 'string') return each;
    throw new SelectorError(`a value is a text: write '${String(each)}', in quotes`, key, key.length);
  });
}
