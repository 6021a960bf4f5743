import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { draftProblem } from '@tagplane/serverinfo';
import type { z } from 'zod';
import { parseFile, pathText } from './documents.ts';
import { serverInfoSchema } from './schema.ts';

/** What a file asks to create, or every reason why it cannot be. */
export interface Drafts {
  readonly drafts: readonly ServerInfoDraft[];
  /** A line each; when there is any, nothing of the file is to be sent. */
  readonly problems: readonly string[];
}

/** Reads a file of documents strictly: an unknown key is a mistake, not a comment. */
export function readDrafts(text: string): Drafts {
  const { documents, problems: broken } = parseFile(text);
  const problems = [...broken];
  const drafts: ServerInfoDraft[] = [];
  const places = new Map<string, string>();
  for (const { place, value } of documents) {
    const result = serverInfoSchema.safeParse(value, { reportInput: true });
    if (!result.success) {
      problems.push(...result.error.issues.flatMap(issueTexts).map((issue) => `${place}: ${issue}`));
      continue;
    }
    const draft = result.data;
    const refusal = draftProblem(draft, 'operator');
    if (refusal !== undefined) problems.push(`${place}: spec: ${refusal.reason}`);
    const earlier = places.get(draft.name);
    if (earlier !== undefined)
      problems.push(`${place}: metadata.name: ${draft.name} is the name of ${earlier} too`);
    places.set(draft.name, place);
    drafts.push(draft);
  }
  return { drafts, problems };
}

function issueTexts(issue: z.core.$ZodIssue): string[] {
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
};

function typeText(expected: string, input: unknown): string {
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
