import type { z } from 'zod';
import { pathText } from './documents.ts';

/** What is wrong with a document, a line each, with the path in it. */
export function issueTexts(issue: z.core.$ZodIssue): string[] {
  const at = (path: readonly PropertyKey[], text: string): string =>
    path.length === 0 ? text : `${pathText(path)}: ${text}`;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => at([...issue.path, key], 'unknown key'));
    case 'invalid_type':
      return [at(issue.path, typeText(issue.expected, issue.input))];
    case 'invalid_value':
      return [at(issue.path, typeText(issue.values.map(String).join(' or '), issue.input))];
    default:
      return [at(issue.path, issue.message)];
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'keys and values',
  map: 'keys and values',
  array: 'a list',
};

export function typeText(expected: string, input: unknown): string {
  if (input === undefined) return 'required';
  return `expected ${EXPECTED[expected] ?? expected}, got ${inputText(input)}`;
}

function inputText(input: unknown): string {
  if (typeof input === 'string') return JSON.stringify(input.length > 40 ? `${input.slice(0, 40)}…` : input);
  if (typeof input === 'number' || typeof input === 'boolean' || typeof input === 'bigint') {
    return `the ${typeof input} ${String(input)}; put it in quotes if it is text`;
  }
  if (input === null) return 'nothing';
  return Array.isArray(input) ? 'a list' : 'keys and values';
}
