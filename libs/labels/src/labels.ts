/**
 * Labels by key. A Map, not an object: a tag's key may be any text, `__proto__` included, and keeps
 * its exact spelling.
 */
export type Labels = ReadonlyMap<string, string>;

export const NO_LABELS: Labels = new Map();

/**
 * Labels in key order (by UTF-16 code unit), the one order that everything derived from a set uses.
 */
export function sortedEntries(labels: Labels): [string, string][] {
  return [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

export function equalLabels(a: Labels, b: Labels): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    if (b.get(key) !== value) return false;
  }
  return true;
}
