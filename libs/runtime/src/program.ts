import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { configKeys } from './config-keys.ts';
import { ConfigError, loadConfig } from './config.ts';
import type { Environment } from './config.ts';
import { VERSION } from './version.ts';

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
    if (error instanceof ConfigError) {
      io.stderr.write(`${program.name}: ${error.message}\n`);
      return 2;
    }
    io.stderr.write(`${program.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
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
  const own = program.commands !== undefined && Object.hasOwn(program.commands, first);
  if (own) return (await program.commands[first]?.run(rest, io)) ?? 2;
  if (first === 'start') {
    const config = readConfig(program, rest, io);
    await program.start(config, io);
    return 0;
  }
  if (first === 'config' && rest[0] === 'check') {
    readConfig(program, rest.slice(1), io);
    io.stdout.write('the configuration is good\n');
    return 0;
  }
  throw new ConfigError(`unknown command '${first}'; see '${program.name} --help'`);
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
    throw new ConfigError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  return loadConfig(program.config, { file: file ?? io.env['TAGPLANE_CONFIG'], env: io.env });
}

function helpText<Schema extends z.ZodType>(program: Program<Schema>): string {
  const commands: [string, string][] = [
    ['start [--config FILE]', 'run until SIGTERM or SIGINT'],
    ['config check [--config FILE]', 'read the configuration and say what is wrong with it'],
    ...Object.values(program.commands ?? {}).map(({ usage, summary }): [string, string] => [usage, summary]),
    ['--help, --version', ''],
  ];
  const keys = configKeys(program.config).map(({ path, variable, description, default: value }) => {
    const fallback = value === undefined ? '' : ` (default ${JSON.stringify(value)})`;
    return `  ${path.join('.')}, ${variable}\n      ${description}${fallback}\n`;
  });
  return [
    `${program.name}: ${program.summary}\n\nCommands\n`,
    ...commands.map(([usage, summary]) => `  ${usage.padEnd(34)} ${summary}`.trimEnd() + '\n'),
    '\nConfiguration: a YAML file (--config, TAGPLANE_CONFIG), and over it the environment\n',
    ...keys,
  ].join('');
}

/** The real process around a program. A second signal while it stops ends it at once. */
export function processIo(): ProgramIo {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return { env: process.env, stdout: process.stdout, stderr: process.stderr, signal: stop.signal };
}
