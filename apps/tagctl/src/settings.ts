import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '@tagplane/identity';
import { ConfigError, addressField, formatAddress, isLoopback, loadConfig } from '@tagplane/runtime';
import type { Address, Environment } from '@tagplane/runtime';
import * as z from 'zod';
import { DEFAULT_ADDRESS, DEFAULT_TIMEOUT_MS } from './defaults.ts';
import { usageError } from './errors.ts';
import { isOperatorName, operatorPeer } from './identity.ts';
import type { TagctlIo } from './io.ts';

/** Where the auth service is, and how long an answer may take. */
export interface Target {
  readonly address: Address;
  readonly addressText: string;
  /** For each call. */
  readonly timeoutMs: number;
}

/** And who asks. */
export interface Settings extends Target {
  readonly security: Security;
}

export type Security =
  /** Mutual TLS, by the credentials in this file. */
  | { readonly mode: 'mutual'; readonly file: string }
  /** Plain text on loopback, where tagctl is believed to be this peer. */
  | { readonly mode: 'insecure'; readonly peer: Peer };

/** What the command line said. */
export interface ConnectionFlags {
  readonly address?: Address;
  /** A file of credentials. */
  readonly identity?: string;
  readonly insecure?: boolean;
  readonly name?: string;
  readonly timeout?: number;
}

type Place = Pick<TagctlIo, 'env' | 'homeDir'>;

// Each key is also an environment variable: TAGPLANE_ADDRESS, TAGPLANE_IDENTITY and so on.
const fileSchema = z.strictObject({
  address: addressField.optional(),
  identity: z.string().min(1, 'expected the name of a file').optional(),
  insecure: z.boolean('expected true or false').optional(),
  name: z
    .string()
    .refine(
      isOperatorName,
      'expected letters, digits, ".", "_", "@" or "-", beginning with a letter or digit',
    )
    .optional(),
});
type Configured = z.output<typeof fileSchema>;

/**
 * Flags over environment over `~/.config/tagplane/config.yaml` over defaults.
 *
 * @throws TagctlError (usage) that names the key or file
 */
export function readSettings(flags: ConnectionFlags, io: Place): Settings {
  const configured = readConfigured(io);
  const target = readTarget(flags, configured);
  const security = readSecurity(flags, configured, io);
  if (security.mode === 'insecure' && !isLoopback(target.address.host)) {
    throw usageError(`insecure: for loopback addresses only, and ${target.addressText} is none`);
  }
  return { ...target, security };
}

/** Which auth service to log in to, and what will keep the other commands from using what is stored then. */
export function readLogin(
  flags: ConnectionFlags,
  io: Place,
): { readonly target: Target; readonly obstacle?: string } {
  const configured = readConfigured(io);
  const target = readTarget(flags, configured);
  const security = readSecurity({}, configured, io);
  if (security.mode === 'insecure')
    return { target, obstacle: 'insecure is set: commands will not use them' };
  if (security.file === credentialsFile(io)) return { target };
  return { target, obstacle: `identity is set: commands will use ${security.file}` };
}

function readTarget(flags: ConnectionFlags, configured: Configured): Target {
  const address = flags.address ?? configured.address ?? DEFAULT_ADDRESS;
  return { address, addressText: formatAddress(address), timeoutMs: flags.timeout ?? DEFAULT_TIMEOUT_MS };
}

/** Whether a command line, the environment or the file, in this order, says whose credentials to use, or none. */
function readSecurity(flags: ConnectionFlags, configured: Configured, io: Place): Security {
  const mutual = (file: string | undefined): Security => ({
    mode: 'mutual',
    file: file ?? credentialsFile(io),
  });
  const insecure = (): Security => ({
    mode: 'insecure',
    peer: operatorPeer(flags.name ?? configured.name, io.env),
  });
  if (flags.insecure === true && flags.identity !== undefined)
    throw contradiction('--insecure and --identity');
  if (flags.insecure === true) return insecure();
  if (flags.identity !== undefined) return mutual(flags.identity);
  if (configured.insecure !== true) return mutual(configured.identity);
  if (configured.identity === undefined) return insecure();
  const [byEnv, identityByEnv] = [isSet(io.env, 'TAGPLANE_INSECURE'), isSet(io.env, 'TAGPLANE_IDENTITY')];
  if (byEnv === identityByEnv) throw contradiction('insecure and identity');
  return byEnv ? insecure() : mutual(configured.identity);
}

function isSet(env: Environment, name: string): boolean {
  return env[name] !== undefined;
}

function contradiction(what: string): Error {
  return usageError(`${what}: give one of them, not both`);
}

function readConfigured(io: Place): Configured {
  const file = configFile(io);
  try {
    return loadConfig(fileSchema, { file: existsSync(file) ? file : undefined, env: io.env });
  } catch (error) {
    if (error instanceof ConfigError) throw usageError(placed(error.message, file), error);
    throw error;
  }
}

export function configFile(io: Place): string {
  return join(configFolder(io), 'config.yaml');
}

/** Where `tagctl login` puts credentials. */
export function credentialsFile(io: Place): string {
  return join(configFolder(io), 'credentials.json');
}

/** The XDG base directory specification asks to ignore a relative path. */
function configFolder({ env, homeDir }: Place): string {
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  return join(xdg.startsWith('/') ? xdg : join(homeDir, '.config'), 'tagplane');
}

function placed(message: string, file: string): string {
  if (message.startsWith(file)) return message;
  return `${message} (in ${existsSync(file) ? `${file} or ` : ''}the environment)`;
}
