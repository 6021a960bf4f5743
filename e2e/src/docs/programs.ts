import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from './markdown.ts';

const run = promisify(execFile);

/** Runs a service's program from source; resolves to what it prints, rejects when it fails. */
export async function runProgram(app: string, ...args: readonly string[]): Promise<string> {
  const main = join(ROOT, 'apps', app, 'src/main.ts');
  const { stdout } = await run(process.execPath, ['--conditions=@tagplane/source', main, ...args]);
  return stdout;
}

/** The same for one that may end with any exit code. */
export async function runProgramToAnyEnd(app: string, ...args: readonly string[]): Promise<string> {
  return await runProgram(app, ...args).catch((error: unknown) => {
    const { stdout } = error as { readonly stdout?: string };
    if (stdout === undefined || stdout === '') throw error;
    return stdout;
  });
}

/** A module of an app, which is no package to import from. */
export async function importSource(path: string): Promise<unknown> {
  return await import(pathToFileURL(join(ROOT, path)).href);
}

/** What is needed here of the class of tagctl's commands. */
interface Command {
  readonly commands: readonly Command[];
  readonly options: readonly { readonly short?: string; readonly long?: string }[];
  name(): string;
  exitOverride(): Command;
  configureOutput(output: Record<string, () => void>): Command;
  parseAsync(words: readonly string[], options: { readonly from: 'user' }): Promise<unknown>;
}

interface TagctlProgram {
  readonly createProgram: (run: Record<'connected' | 'alone', () => Promise<void>>) => Command;
}

const silent = (): void => undefined;

/** Tagctl's command tree, of which no command does anything. */
export async function tagctlTree(): Promise<Command> {
  const { createProgram } = (await importSource('apps/tagctl/src/program.ts')) as TagctlProgram;
  const idle = (): Promise<void> => Promise.resolve();
  const program = createProgram({ connected: idle, alone: idle });
  everyCommand(program, (command) => {
    command.exitOverride().configureOutput({ writeOut: silent, writeErr: silent, outputError: silent });
  });
  return program;
}

/** Why tagctl would not take these words; undefined: it would. */
export async function tagctlProblem(words: readonly string[]): Promise<string | undefined> {
  try {
    await (await tagctlTree()).parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Why these are not the first words of a command, with flags that it has; undefined: they are. Arguments may
 * be missing, as in prose.
 */
export function tagctlMentionProblem(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  let rest = words;
  for (;;) {
    const [word] = rest;
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  const [word] = rest;
  if (command.commands.length > 0 && word !== undefined && !word.startsWith('-')) {
    return `no command ${word}`;
  }
  const flag = rest.find(
    (each) =>
      /^--?[a-z]/.test(each) && !command.options.some(({ short, long }) => [short, long].includes(each)),
  );
  return flag === undefined ? undefined : `no flag ${flag}`;
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}
