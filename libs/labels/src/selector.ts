/**
 * Picks nodes by their labels. `parseSelector` reads the text form, `selectorProblem` checks one that came
 * in parts, `compileSelector` makes it fit to be asked.
 */
export interface Selector {
  /** All must hold; at least one. */
  readonly terms: readonly SelectorTerm[];
}

/** One key and what its value may be. The key `*` with the only value `*` holds for every node. */
export interface SelectorTerm {
  readonly key: string;
  /**
   * Patterns, any of which may match the whole value: a regular expression when it begins with `^` and ends
   * with `$`, a glob when it has a `*`, otherwise the text itself.
   */
  readonly values: readonly string[];
}

/** Every node, whatever its labels. */
export const EVERY_NODE: Selector = { terms: [{ key: '*', values: ['*'] }] };
