import type { Selector, SelectorTerm } from '@tagplane/labels';
import { SelectorError, compileSelector, parseSelector, selectorProblem } from '@tagplane/labels';
import * as z from 'zod';
import { typeText } from '../create/issues.ts';
import { pointedProblem } from './pointed.ts';

const EXPECTED = "keys and values such as {aws/env: prod, aws/team: [db, 'web-*']}, or text";

/** A selector in a document: keys with a pattern or a list of patterns each, or the text form. */
export const selectorField = z.unknown().transform((value, context): Selector => {
  const refuse = (message: string, path: PropertyKey[] = []): void => {
    context.addIssue({ code: 'custom', message, path });
  };
  if (typeof value === 'string') {
    const selector = attempt(() => parseSelector(value), refuse);
    return selector ?? z.NEVER;
  }
  if (!(value instanceof Map)) {
    refuse(typeText(EXPECTED, value));
    return z.NEVER;
  }
  const terms: SelectorTerm[] = [];
  let bad = false;
  for (const [key, patterns] of value as Map<string, unknown>) {
    const term = readTerm(key, patterns, refuse);
    if (term === undefined) bad = true;
    else terms.push(term);
  }
  if (bad) return z.NEVER;
  const problem = selectorProblem({ terms });
  if (problem === undefined) return { terms };
  refuse(problem);
  return z.NEVER;
});

type Refuse = (message: string, path?: PropertyKey[]) => void;

/** Undefined when something was wrong with it, which was said with its own path. */
function readTerm(key: string, value: unknown, refuse: Refuse): SelectorTerm | undefined {
  const patterns: unknown[] = Array.isArray(value) ? value : [value];
  const values: string[] = [];
  for (const [index, pattern] of patterns.entries()) {
    if (typeof pattern === 'string') values.push(pattern);
    else refuse(typeText('text or a list of texts', pattern), Array.isArray(value) ? [key, index] : [key]);
  }
  if (values.length < patterns.length) return undefined;
  const term = { key, values };
  return attempt(
    () => (compileSelector({ terms: [term] }), term),
    (message) => {
      refuse(message, [key]);
    },
  );
}

function attempt<Value>(make: () => Value, refuse: (message: string) => void): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    refuse(pointedProblem(error));
    return undefined;
  }
}
