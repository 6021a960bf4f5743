import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, TagctlError } from './errors.ts';
import { visible } from './format/escape.ts';
import type { TagctlIo } from './io.ts';
import { ClosedOutputError } from './io.ts';
import { createProgram } from './program.ts';

/** Help is wrapped for people also where it goes to no terminal. */
const HELP_COLUMNS = 100;

/**
 * Runs one command line, without the program's own name.
 *
 * @returns the exit code: 0 done, 1 failed, 2 a bad command line, configuration or file
 */
export async function runTagctl(args: readonly string[], io: TagctlIo): Promise<number> {
  try {
    return await parseAndRun(args, io);
  } catch (error) {
    // `tagctl … | head` has all it wanted.
    if (error instanceof ClosedOutputError) return EXIT_OK;
    return report(error, io);
  }
}

async function parseAndRun(args: readonly string[], io: TagctlIo): Promise<number> {
  let exitCode = EXIT_OK;
  const help: { out: string; err: string } = { out: '', err: '' };
  const program = createProgram({
    async connected(flags, load) {
      const { withApi } = await import('./context.ts');
      exitCode = await withApi(flags, io, await load());
    },
    async alone(body) {
      exitCode = await body(io);
    },
  });
  everyCommand(program, (command) =>
    command.exitOverride().configureOutput({
      writeOut: (text) => (help.out += text),
      writeErr: (text) => (help.err += text),
      outputError: () => undefined,
      getOutHelpWidth: () => io.stdout.size()?.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => io.stderr.size()?.columns ?? HELP_COLUMNS,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    }),
  );
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    await io.stdout.write(help.out);
    await io.stderr.write(help.err);
    if (error.exitCode === 0) return EXIT_OK;
    if (help.err === '')
      throw new TagctlError(commandLineProblem(error), { exitCode: EXIT_USAGE, cause: error });
    return EXIT_USAGE;
  }
}

function everyCommand(command: Command, visit: (command: Command) => unknown): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}

function commandLineProblem(error: CommanderError): string {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  return `${[first, ...rest].join(' ').replace(/\.$/, '')}; see 'tagctl --help'`;
}

async function report(error: unknown, io: TagctlIo): Promise<number> {
  const message = io.signal.aborted ? 'interrupted' : error instanceof Error ? error.message : String(error);
  try {
    const lines = message.split('\n').map((line) => `tagctl: ${visible(line)}\n`);
    await io.stderr.write(lines.join(''));
  } catch {
    // Nobody reads the errors; the exit code still says it.
  }
  return error instanceof TagctlError ? error.exitCode : EXIT_FAILED;
}
