import { labelProblem } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { usageError } from '../errors.ts';

const NAMESPACE = 'dynamic/';

/**
 * `dynamic/k=v` words as labels. The key ends at the first `=`, unless it is in double quotes.
 *
 * @throws TagctlError (usage) that names the word
 */
export function readLabels(words: readonly string[]): Labels {
  const labels = new Map<string, string>();
  for (const word of words) {
    const { key, value } = splitWord(word);
    if (value === undefined) throw bad(word, `expected ${NAMESPACE}KEY=VALUE`);
    checkKey(word, key);
    const problem = labelProblem(key, value);
    if (problem !== undefined) throw bad(word, problem);
    if (labels.has(key)) throw bad(word, 'this key was given before');
    labels.set(key, value);
  }
  return labels;
}

/** A label to take away; with a value, only if it has this one. */
export interface LabelWord {
  readonly key: string;
  readonly value: string | undefined;
}

/**
 * `dynamic/k` words, or `dynamic/k=v`.
 *
 * @throws TagctlError (usage) that names the word
 */
export function readKeys(words: readonly string[]): LabelWord[] {
  return words.map((word) => {
    const split = splitWord(word);
    checkKey(word, split.key);
    return split;
  });
}

function splitWord(word: string): LabelWord {
  const quoted = /^("(?:[^"\\]|\\.)*")(?:=([\s\S]*))?$/.exec(word);
  if (quoted !== null) {
    const [, key = '', value] = quoted;
    return { key: unquote(word, key), value };
  }
  const at = word.indexOf('=');
  return at < 0 ? { key: word, value: undefined } : { key: word.slice(0, at), value: word.slice(at + 1) };
}

function unquote(word: string, key: string): string {
  try {
    return JSON.parse(key) as string;
  } catch (error) {
    throw usageError(`${word}: the key in quotes is no JSON text`, error);
  }
}

function checkKey(word: string, key: string): void {
  if (!key.startsWith(NAMESPACE) || key === NAMESPACE) {
    throw bad(word, `an operator's labels begin with ${NAMESPACE}`);
  }
}

function bad(word: string, problem: string): Error {
  return usageError(`${word}: ${problem}`);
}
