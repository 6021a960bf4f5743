import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { CONFIG_FILE_VARIABLE, configKeys } from './config-keys.ts';
import { ConfigError, loadConfig } from './config.ts';
import type { Environment } from './config.ts';
import { errorMessage } from './error-message.ts';
import { isAbort } from './tasks.ts';
import { VERSION } from './version.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The process around a program, given in so that tests can run one without a process. */
export interface ProgramIo {
  readonly env: Environment;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command beside `start` and `config check`; gets the arguments after its name. */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  /** Resolves to the exit code. */
  run(args: readonly string[], io: ProgramIo): Promise<number>;
}

export interface Program<Schema extends z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly config: Schema;
  /** Runs the service until the signal aborts. */
  start(config: z.output<Schema>, io: ProgramIo): Promise<void>;
  readonly commands?: Readonly<Record<string, Command>>;
}

/**
 * Runs a service's command line: `start`, `config check`, `--help`, `--version` and its own commands.
 *
 * @returns the exit code: 0, 1 when the service failed, 2 for a bad configuration or command line
 */
export async function runProgram<Schema extends z.ZodType>(
  program: Program<Schema>,
  args: readonly string[],
  io: ProgramIo,
): Promise<number> {
  try {
    return await dispatch(program, args, io);
  } catch (error) {
    io.stderr.write(`${program.name}: ${errorMessage(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

async function dispatch<Schema extends z.ZodType>(
  program: Program<Schema>,
  args: readonly string[],
  io: ProgramIo,
): Promise<number> {
  const [first, ...rest] = args;
  if (first === '--version') {
    io.stdout.write(`${program.name} ${VERSION}\n`);
    return 0;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    io.stdout.write(helpText(program));
    return 0;
  }
  const own = Object.entries(program.commands ?? {}).find(([name]) => name === first);
  if (own !== undefined) return own[1].run(rest, io);
  if (first !== 'start' && first !== 'config') throw unknownCommand(program, first);
  if (rest.some((argument) => argument === '--help' || argument === '-h')) {
    io.stdout.write(helpText(program));
    return 0;
  }
  if (first === 'start') return start(program, rest, io);
  const [second, ...others] = rest;
  if (second !== 'check') throw unknownCommand(program, ['config', second].join(' ').trimEnd());
  readConfig(program, others, io);
  io.stdout.write('the configuration is good\n');
  return 0;
}

function unknownCommand(program: { readonly name: string }, command: string): ConfigError {
  return new ConfigError(`unknown command '${command}'; see '${program.name} --help'`);
}

async function start<Schema extends z.ZodType>(
  program: Program<Schema>,
  args: readonly string[],
  io: ProgramIo,
): Promise<number> {
  const config = readConfig(program, args, io);
  try {
    await program.start(config, io);
  } catch (error) {
    // Being told to stop is how a service ends, whichever wait it was in.
    if (!isAbort(error, io.signal)) throw error;
  }
  return 0;
}

function readConfig<Schema extends z.ZodType>(
  program: Program<Schema>,
  args: readonly string[],
  io: ProgramIo,
): z.output<Schema> {
  let file: string | undefined;
  try {
    file = parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } }).values.config;
  } catch (error) {
    throw new ConfigError(errorMessage(error), { cause: error });
  }
  return loadConfig(program.config, { file: file ?? io.env[CONFIG_FILE_VARIABLE], env: io.env });
}

function helpText<Schema extends z.ZodType>(program: Program<Schema>): string {
  const commands: [string, string][] = [
    ['start [--config FILE]', 'run until SIGTERM or SIGINT'],
    ['config check [--config FILE]', 'read the configuration and say what is wrong with it'],
    ...Object.values(program.commands ?? {}).map(({ usage, summary }): [string, string] => [usage, summary]),
    ['--help, --version', 'say this, or which version it is'],
  ];
  const keys = configKeys(program.config).map(({ path, variable, description, default: value }) => {
    const fallback = value === undefined ? '' : `(default ${JSON.stringify(value)})`;
    const detail = `${description} ${fallback}`.trim();
    return `  ${path.join('.')}, ${variable}\n${detail === '' ? '' : `      ${detail}\n`}`;
  });
  return [
    `${program.name}: ${program.summary}\n\nCommands\n`,
    ...commands.map(([usage, summary]) => `  ${usage.padEnd(34)} ${summary}\n`),
    `\nConfiguration: a YAML file (--config, ${CONFIG_FILE_VARIABLE}), and over it the environment\n`,
    ...keys,
  ].join('');
}

/** The real process around a program. A second signal, of either kind, ends it at once. */
export function processIo(): ProgramIo {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    for (const each of STOP_SIGNALS) process.removeListener(each, onSignal);
    stop.abort(new Error(`stopped by ${name}`));
  };
  for (const name of STOP_SIGNALS) process.on(name, onSignal);
  return { env: process.env, stdout: process.stdout, stderr: process.stderr, signal: stop.signal };
}
