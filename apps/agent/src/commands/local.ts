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

const OPTIONS = {
  socket: { type: 'string' },
  config: { type: 'string', short: 'c' },
  format: { type: 'string', default: 'table' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** A command that asks the running agent. Exit codes: 0, 1 when it cannot be asked, 2 for bad usage. */
export function localCommand<Document>(command: LocalCommand<Document>): Command {
  const usage = `${command.name} [--format json|table]`;
  return {
    usage,
    summary: command.summary,
    async run(args, io) {
      const options = readOptions(command.name, args);
      if (options.help) {
        io.stdout.write(helpText(command));
        return 0;
      }
      return show(command, socketOf(options, io.env), options.format, io);
    },
  };
}

async function show<Document>(
  command: LocalCommand<Document>,
  socket: string,
  format: string,
  io: ProgramIo,
): Promise<number> {
  try {
    // The agent and this command are one program of one version.
    const document = (await askAgent(socket, command.path, io.signal)) as Document;
    io.stdout.write(format === 'json' ? `${JSON.stringify(document, null, 2)}\n` : command.table(document));
    return 0;
  } catch (error) {
    if (!(error instanceof AgentUnreachableError)) throw error;
    io.stderr.write(`tagplane-agent: ${error.message}\n`);
    return 1;
  }
}

function readOptions(name: string, args: readonly string[]) {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS }));
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

function socketOf(
  options: { readonly socket?: string | undefined; readonly config?: string | undefined },
  env: Environment,
): string {
  if (options.socket !== undefined) return options.socket;
  const file = options.config ?? env['TAGPLANE_CONFIG'];
  if (file !== undefined) return socketPath(loadConfig(agentConfig, { file, env }));
  return env['TAGPLANE_SOCKET'] ?? join(env['TAGPLANE_DATA_DIR'] ?? DEFAULT_DATA_DIR, SOCKET_NAME);
}

function helpText<Document>(command: LocalCommand<Document>): string {
  return [
    `tagplane-agent ${command.name} [--socket PATH | --config FILE] [--format json|table]\n\n`,
    `${command.summary}. Asks the agent that runs here, over its socket (--socket, else that of the\n`,
    `configuration, else ${join(DEFAULT_DATA_DIR, SOCKET_NAME)}).\n\n`,
    'Exit codes: 0, 1 when the agent cannot be asked, 2 for a bad command line.\n\n',
    `JSON\n${command.help}`,
  ].join('');
}
