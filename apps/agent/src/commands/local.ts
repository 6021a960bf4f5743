import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Command, Environment, ProgramIo } from '@tagplane/runtime';
import { ConfigError, loadConfig } from '@tagplane/runtime';
import { DEFAULT_DATA_DIR, SOCKET_NAME, agentConfig, socketPath } from '../config.ts';
import { messageOf } from '../errors.ts';
import { AgentUnreachableError, askAgent } from '../local-client.ts';

export interface LocalCommand<Document> {
  readonly name: string;
  readonly summary: string;
  /** What `--help` says of the JSON document. */
  readonly help: string;
  readonly path: string;
  /** The document for people. */
  readonly table: (document: Document) => string;
}

/** What every command that asks the agent takes. */
export const LOCAL_OPTIONS = {
  socket: { type: 'string' },
  config: { type: 'string', short: 'c' },
  format: { type: 'string', default: 'table' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Where the agent is asked. */
export interface LocalTarget {
  readonly socket?: string | undefined;
  readonly config?: string | undefined;
}

/** A command that asks the running agent. Exit codes: 0, 1 when it cannot be asked, 2 for bad usage. */
export function localCommand<Document>(command: LocalCommand<Document>): Command {
  const usage = `${command.name} [--format json|table]`;
  return {
    usage,
    summary: command.summary,
    async run(args, io) {
      const options = readOptions(
        command.name,
        () => parseArgs({ args: [...args], options: LOCAL_OPTIONS }).values,
      );
      if (options.help) {
        io.stdout.write(helpText(command));
        return 0;
      }
      // The agent and this command are one program of one version.
      const document = (await askLocally(command.path, options, io)) as Document | undefined;
      if (document === undefined) return 1;
      const json = options.format === 'json';
      io.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : command.table(document));
      return 0;
    },
  };
}

/**
 * Asks the agent; undefined when it cannot be asked, which has then been said.
 *
 * @throws QuestionRefusedError when it does not take the question
 */
export async function askLocally(
  path: string,
  target: LocalTarget,
  io: ProgramIo,
  question?: unknown,
): Promise<unknown> {
  try {
    return await askAgent(socketOf(target, io.env), path, io.signal, question);
  } catch (error) {
    if (!(error instanceof AgentUnreachableError)) throw error;
    io.stderr.write(`tagplane-agent: ${error.message}\n`);
    return undefined;
  }
}

/**
 * The options of a command line.
 *
 * @param parse reads them; LOCAL_OPTIONS are among them
 * @throws ConfigError naming the command
 */
export function readOptions<Values extends { readonly format: string }>(
  name: string,
  parse: () => Values,
): Values {
  let values;
  try {
    values = parse();
  } catch (error) {
    throw new ConfigError(`${name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (values.format !== 'json' && values.format !== 'table') {
    throw new ConfigError(`${name}: --format is json or table`);
  }
  return values;
}

function socketOf(options: LocalTarget, env: Environment): string {
  if (options.socket !== undefined) return options.socket;
  const file = options.config ?? env['TAGPLANE_CONFIG'];
  if (file !== undefined) return socketPath(loadConfig(agentConfig, { file, env }));
  return env['TAGPLANE_SOCKET'] ?? join(env['TAGPLANE_DATA_DIR'] ?? DEFAULT_DATA_DIR, SOCKET_NAME);
}

function helpText<Document>(command: LocalCommand<Document>): string {
  return [
    `tagplane-agent ${command.name} [--socket PATH | --config FILE] [--format json|table]\n\n`,
    `${command.summary}. Asks the agent that runs here.\n${whereHelp()}\n`,
    'Exit codes: 0, 1 when the agent cannot be asked, 2 for a bad command line.\n\n',
    `JSON\n${command.help}`,
  ].join('');
}

/** Where the commands ask. */
export function whereHelp(): string {
  return [
    'Over its socket: --socket, else that of the configuration (--config), else\n',
    `${join(DEFAULT_DATA_DIR, SOCKET_NAME)}.\n`,
  ].join('');
}
