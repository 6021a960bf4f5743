import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TagctlError, usageError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import type { TagctlIo } from '../io.ts';
import { runEditor } from './editor.ts';

/** What became of an attempt to write what was edited. */
export type Attempt =
  | { readonly kind: 'written' }
  /** The person is asked again, with these on top of the file. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  /** It is of no use to ask again: why, in lines for a person. The edit is kept. */
  | { readonly kind: 'refused'; readonly lines: readonly string[]; readonly exitCode?: number };

export interface Editing {
  /** For the name of the file, such as `role-dev`. */
  readonly name: string;
  /** What the person sees first, and what counts as unchanged. */
  readonly text: string;
  /** Reads and writes what was edited. */
  write(text: string): Promise<Attempt>;
}

/**
 * Lets a person edit a text in a file of their own until it is written, given up or refused. An edit that
 * was not written is never lost: the file that holds it is named.
 *
 * @returns whether anything was written
 * @throws TagctlError when it was refused, or given up with mistakes in it
 */
export async function editUntilWritten(
  editing: Editing,
  io: Pick<TagctlIo, 'env' | 'stderr'>,
): Promise<boolean> {
  const { name, text } = editing;
  const folder = await mkdtemp(join(tmpdir(), 'tagctl-edit-'));
  const file = join(folder, `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.yaml`);
  try {
    const written = await editFile(file, editing, io);
    await rm(folder, { recursive: true, force: true });
    return written;
  } catch (error) {
    const left = withoutProblems(await readFile(file, 'utf8').catch(() => text));
    if (left === text) await rm(folder, { recursive: true, force: true });
    else await io.stderr.write(`tagctl: your edit is kept in ${file}\n`);
    throw error;
  }
}

async function editFile(file: string, editing: Editing, io: Pick<TagctlIo, 'env'>): Promise<boolean> {
  let [before, problems]: [string, readonly string[]] = [editing.text, []];
  for (;;) {
    await writeFile(file, `${problems.flatMap(problemLines).join('')}${before}`, { mode: 0o600 });
    await runEditor(file, io);
    const edited = withoutProblems(await readFile(file, 'utf8'));
    if (isNothing(edited) || edited === editing.text) return false;
    if (edited === before) throw usageError(['nothing was written', ...problems].join('\n'));
    const attempt = await editing.write(edited);
    if (attempt.kind === 'written') return true;
    if (attempt.kind === 'refused') throw refusal(attempt);
    ({ problems } = attempt);
    before = edited;
  }
}

function refusal({ lines, exitCode }: Extract<Attempt, { kind: 'refused' }>): TagctlError {
  return new TagctlError(lines.join('\n'), exitCode === undefined ? {} : { exitCode });
}

/** Lines like these are tagctl's own: they are taken out again before the text is read. */
const PROBLEM = '#! ';

function problemLines(problem: string): string[] {
  return problem.split('\n').map((line) => `${PROBLEM}${visible(line)}\n`);
}

function withoutProblems(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith(PROBLEM.trimEnd()))
    .join('\n');
}

/** Nothing but comments: how one gives up in an editor. */
function isNothing(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#|$)/.test(line));
}
