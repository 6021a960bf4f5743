import type { Labels } from './labels.ts';
import type { CompiledPattern } from './pattern.ts';
import { compilePattern } from './pattern.ts';
import { RecentlyUsed } from './recently-used.ts';
import { SelectorError } from './selector-error.ts';
import type { Selector, SelectorTerm } from './selector.ts';

export const MAX_SELECTOR_TERMS = 32;
export const MAX_TERM_VALUES = 256;
export const MAX_SELECTOR_KEY_CHARACTERS = 256;
/** Instructions of all regular expressions of a selector together: it bounds what one question may cost. */
export const MAX_SELECTOR_PROGRAM = 5000;

/** What can be said of a node by what is known of its labels. */
export type Truth = 'true' | 'false' | 'unknown';

/** The value of a known label; undefined: nothing is known of it. */
export type LabelLookup = (key: string) => string | undefined;

export interface SelectorVerdict {
  readonly truth: Truth;
  /** The first term that is false, else the first that is unknown; undefined when all are true. */
  readonly term: SelectorTerm | undefined;
}

/** A selector made fit to be asked. */
export interface CompiledSelector {
  readonly selector: Selector;
  /** The labels that it depends on; none for every node. */
  readonly keys: readonly string[];
  /** Instructions of its regular expressions. */
  readonly program: number;
  /** Whether these labels, all known, are picked: each term's label is there and one of its patterns matches. */
  matches(labels: Labels): boolean;
  /** Terms are ANDed: false beats unknown beats true. A term is unknown when its label is. */
  test(lookup: LabelLookup): SelectorVerdict;
}

const TRUE: SelectorVerdict = { truth: 'true', term: undefined };

interface CompiledTerm {
  readonly key: string;
  readonly matches: (value: string) => boolean;
  readonly program: number;
  readonly whenFalse: SelectorVerdict;
  readonly whenUnknown: SelectorVerdict;
}

/**
 * Selectors of 2,000 roles of a few rules each. An instruction weighs as much as 80 characters: the automaton of a
 * hostile expression grows to 20 KiB for each, that of an ordinary one to a hundredth of it.
 */
const compiled = new RecentlyUsed<CompiledSelector>(
  { entries: 10_000, weight: 4 * 1024 * 1024 },
  (content, { program }) => content.length + 80 * program,
);

/**
 * Equal selectors give the same object while it is in the cache, which is bounded.
 *
 * @throws SelectorError whose text is the key or the pattern that is wrong
 */
export function compileSelector(selector: Selector): CompiledSelector {
  const content = JSON.stringify(selector.terms.map(({ key, values }) => [key, values]));
  return compiled.get(content, () => build(selector));
}

/** Why this is no selector, on one line, for a person; undefined: it is one. */
export function selectorProblem(selector: Selector): string | undefined {
  try {
    compileSelector(selector);
    return undefined;
  } catch (error) {
    if (error instanceof SelectorError) return `${error.message} of ${shown(error.text)}`;
    throw error;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${Array.from(text.slice(0, 80)).join('')}…` : text);
}

function build(selector: Selector): CompiledSelector {
  const terms = checkedTerms(selector).map(compileTerm);
  const program = terms.reduce((sum, term) => sum + term.program, 0);
  if (program > MAX_SELECTOR_PROGRAM) {
    const problem = `the regular expressions of a selector have at most ${MAX_SELECTOR_PROGRAM} instructions together, these ${program}`;
    throw new SelectorError(problem, terms.map(({ key }) => key).join(','), 0);
  }
  const asked = terms.filter(({ key }) => key !== '*');
  return {
    selector,
    keys: asked.map(({ key }) => key),
    program,
    matches: (labels) =>
      asked.every(({ key, matches }) => {
        const value = labels.get(key);
        return value !== undefined && matches(value);
      }),
    test: (lookup) => test(asked, lookup),
  };
}

function test(terms: readonly CompiledTerm[], lookup: LabelLookup): SelectorVerdict {
  let verdict = TRUE;
  for (const term of terms) {
    const value = lookup(term.key);
    if (value === undefined) {
      if (verdict === TRUE) verdict = term.whenUnknown;
    } else if (!term.matches(value)) {
      return term.whenFalse;
    }
  }
  return verdict;
}

function checkedTerms({ terms }: Selector): readonly SelectorTerm[] {
  if (terms.length === 0) throw new SelectorError('a selector has at least one term', '', 0);
  if (terms.length > MAX_SELECTOR_TERMS) {
    const key = terms[MAX_SELECTOR_TERMS]?.key ?? '';
    throw new SelectorError(`a selector has at most ${MAX_SELECTOR_TERMS} terms`, key, 0);
  }
  const seen = new Set<string>();
  for (const { key, values } of terms) {
    const problem = keyProblem(key) ?? (seen.has(key) ? 'this key has a term already' : undefined);
    if (problem !== undefined) throw new SelectorError(problem, key, 0);
    seen.add(key);
    if (values.length === 0) throw new SelectorError('a term has at least one value', key, key.length);
    if (values.length > MAX_TERM_VALUES) {
      throw new SelectorError(`a term has at most ${MAX_TERM_VALUES} values`, key, key.length);
    }
    if (key === '*' && (values.length > 1 || values[0] !== '*')) {
      throw new SelectorError('the key * has only the value *, for every node', key, 0);
    }
  }
  return terms;
}

function keyProblem(key: string): string | undefined {
  if (key === '') return 'a key is not empty';
  if (key.length > MAX_SELECTOR_KEY_CHARACTERS) {
    return `a key has at most ${MAX_SELECTOR_KEY_CHARACTERS} characters`;
  }
  return key.isWellFormed() ? undefined : 'this is not well-formed Unicode';
}

function compileTerm(term: SelectorTerm): CompiledTerm {
  const patterns = term.values.map(compilePattern);
  return {
    key: term.key,
    matches: anyOf(patterns),
    program: patterns.reduce((sum, pattern) => sum + pattern.program, 0),
    whenFalse: { truth: 'false', term },
    whenUnknown: { truth: 'unknown', term },
  };
}

/** Texts are looked up at once; only then patterns are tried one by one. */
function anyOf(patterns: readonly CompiledPattern[]): (value: string) => boolean {
  const [only] = patterns;
  if (patterns.length === 1 && only !== undefined) return only.matches;
  const texts = new Set(patterns.flatMap(({ text }) => (text === undefined ? [] : [text])));
  const others = patterns.filter(({ text }) => text === undefined);
  if (others.length === 0) return (value) => texts.has(value);
  return (value) => texts.has(value) || others.some((pattern) => pattern.matches(value));
}
