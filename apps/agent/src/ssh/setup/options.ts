import { realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Environment } from '@tagplane/runtime';
import { CONFIG_FILE_VARIABLE, ConfigError, loadConfig } from '@tagplane/runtime';
import { agentConfig, socketPath } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import { DEFAULT_AGENT_SOCKET, DEFAULT_SSH_SOCKET } from '../paths.ts';
import { wordProblem } from './drop-in.ts';
import type { DropIn } from './drop-in.ts';
import type { Place } from './install.ts';

const PLACE = {
  sshd: { type: 'string', default: '/usr/sbin/sshd' },
  'sshd-config': { type: 'string', default: '/etc/ssh/sshd_config' },
  'sshd-config-dir': { type: 'string' },
} as const;
const RELOAD = { reload: { type: 'boolean', default: false } } as const;
const AGENT = { config: { type: 'string', short: 'c' }, socket: { type: 'string' } } as const;
const OPTIONS = {
  install: {
    ...PLACE,
    ...RELOAD,
    ...AGENT,
    'ca-keys': { type: 'string' },
    user: { type: 'string', default: 'nobody' },
    program: { type: 'string' },
  },
  uninstall: { ...PLACE, ...RELOAD },
  check: { ...PLACE, ...AGENT, login: { type: 'string', default: 'root' } },
} as const;

/** In the alphabet after what distributions put there, and before what is put there last. */
const FILE_NAME = '50-tagplane.conf';

export interface InstallOptions {
  readonly place: Place;
  readonly dropIn: DropIn;
  readonly reload: boolean;
}

/** @throws ConfigError that names the flag */
export async function installOptions(args: readonly string[], env: Environment): Promise<InstallOptions> {
  const values = parse('install', { args: [...args], options: OPTIONS.install });
  const dropIn = {
    program: await programWords(values.program),
    user: values.user,
    socket: socketsOf(values, env).login,
    caKeys: values['ca-keys'] === undefined ? undefined : resolve(values['ca-keys']),
  };
  const { program, user, socket, caKeys } = dropIn;
  for (const word of [...program, user, socket, ...(caKeys === undefined ? [] : [caKeys])]) {
    const problem = wordProblem(word);
    if (problem !== undefined) throw new ConfigError(`ssh install: ${problem}`);
  }
  return { place: placeOf(values), dropIn, reload: values.reload };
}

export function uninstallOptions(args: readonly string[]): {
  readonly place: Place;
  readonly reload: boolean;
} {
  const values = parse('uninstall', { args: [...args], options: OPTIONS.uninstall });
  return { place: placeOf(values), reload: values.reload };
}

export interface CheckFlags {
  readonly place: Place;
  readonly login: string;
  readonly agentSocket: string;
}

export function checkFlags(args: readonly string[], env: Environment): CheckFlags {
  const values = parse('check', { args: [...args], options: OPTIONS.check });
  return { place: placeOf(values), login: values.login, agentSocket: socketsOf(values, env).agent };
}

function parse<Config extends Parameters<typeof parseArgs>[0]>(
  name: string,
  config: Config,
): ReturnType<typeof parseArgs<Config & object>>['values'] {
  try {
    return parseArgs(config as Config & object).values;
  } catch (error) {
    throw new ConfigError(`ssh ${name}: ${messageOf(error)}`, { cause: error });
  }
}

interface PlaceFlags {
  readonly sshd: string;
  readonly 'sshd-config': string;
  readonly 'sshd-config-dir'?: string | undefined;
}

function placeOf(flags: PlaceFlags): Place {
  const config = resolve(flags['sshd-config']);
  const folder = resolve(flags['sshd-config-dir'] ?? join(dirname(config), 'sshd_config.d'));
  return { file: join(folder, FILE_NAME), sshd: { program: flags.sshd, config } };
}

/** Node and the file that it runs now; sshd wants to be told without links. */
async function programWords(program: string | undefined): Promise<string[]> {
  if (program !== undefined) return [resolve(program)];
  return [await realpath(process.execPath), await realpath(process.argv[1] ?? '')];
}

interface AgentFlags {
  readonly config?: string | undefined;
  readonly socket?: string | undefined;
}

/** The agent's own socket, and the one for logins: of its configuration, if that is given. */
function socketsOf({ config, socket }: AgentFlags, env: Environment): { login: string; agent: string } {
  const file = config ?? env[CONFIG_FILE_VARIABLE];
  const read = file === undefined ? undefined : loadConfig(agentConfig, { file, env });
  return {
    login: socket ?? read?.ssh?.socket ?? DEFAULT_SSH_SOCKET,
    agent: socket ?? (read === undefined ? DEFAULT_AGENT_SOCKET : socketPath(read)),
  };
}
