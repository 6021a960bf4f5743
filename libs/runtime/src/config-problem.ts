import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * What to tell of a refused configuration: one line, `key.in.full: what is wrong`. Of several problems
 * an unknown key comes first, for a misspelt key is also a missing one. The text never holds a value.
 *
 * @param input what the schema was given
 */
export function configProblem(error: z.ZodError, input: unknown): string {
  const { path, message } = firstOf(error.issues, input);
  const name = path.map(String).join('.');
  return `${name === '' ? 'configuration' : name}: ${message}`;
}

function firstOf(issues: readonly Issue[], input: unknown): Problem {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  return issue === undefined ? { path: [], message: 'not valid' } : problemOf(issue, input);
}

function problemOf(issue: Issue, input: unknown): Problem {
  const { path } = issue;
  const value = valueAt(input, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return { path: [...path, ...issue.keys.slice(0, 1)], message: 'unknown key' };
    case 'invalid_union':
      if (value === undefined) return { path, message: 'required' };
      return unionProblem(issue, value);
    case 'invalid_type':
    case 'invalid_value':
      return { path, message: value === undefined ? 'required' : plain(issue.message) };
    default:
      return { path, message: plain(issue.message) };
  }
}

/**
 * The problem of the alternative that was meant: not one of another shape or another literal, then the
 * one that got deepest, then the one with the fewest problems.
 */
function unionProblem(issue: Issue & { readonly code: 'invalid_union' }, value: unknown): Problem {
  const branches = issue.errors.map((issues) => ({ issues, problem: firstOf(issues, value) }));
  const meant = branches.filter(({ issues }) => !issues.some(isOtherKind));
  const [best] = (meant.length > 0 ? meant : branches).toSorted(
    (a, b) => b.problem.path.length - a.problem.path.length || a.issues.length - b.issues.length,
  );
  if (best === undefined) return { path: issue.path, message: plain(issue.message) };
  if (meant.length === 0 && best.problem.path.length === 0) {
    return { path: issue.path, message: `expected ${expectedTypes(issue.errors.flat()).join(' or ')}` };
  }
  return { path: [...issue.path, ...best.problem.path], message: best.problem.message };
}

/** Whether the issue says that the value is none of its alternative at all. */
function isOtherKind(issue: Issue): boolean {
  if (issue.code === 'invalid_type') return issue.path.length === 0;
  return issue.code === 'invalid_value' && issue.values.length === 1 && issue.path.length <= 1;
}

function expectedTypes(issues: readonly Issue[]): string[] {
  const expected = issues.flatMap((issue) => {
    if (issue.code === 'invalid_type') return [issue.expected];
    return issue.code === 'invalid_value' ? issue.values.map(String) : [];
  });
  return [...new Set(expected)];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  return value;
}

/** zod's own words, without the kind of the problem in front of them. */
function plain(message: string): string {
  const [line = ''] = message.split('\n', 1);
  return line.replace(/^(Invalid (input|option)|Too (small|big)): /, '').replaceAll('"|"', '", "');
}
