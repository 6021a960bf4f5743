import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '@tagplane/identity';
import { ConfigError, SECOND, addressField, formatAddress, loadConfig } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import * as z from 'zod';
import { usageError } from './errors.ts';
import { isOperatorName, operatorPeer } from './identity.ts';
import type { TagctlIo } from './io.ts';

export const DEFAULT_ADDRESS: Address = { host: '127.0.0.1', port: 7420 };
/** A call that lists a page takes milliseconds; ten seconds also outlast an auth service's restart. */
export const DEFAULT_TIMEOUT_MS = 10 * SECOND;

/** Where the auth service is, who asks, and how long an answer may take. */
export interface Settings {
  readonly address: Address;
  readonly addressText: string;
  readonly peer: Peer;
  /** For each call. */
  readonly timeoutMs: number;
}

/** What the command line said. */
export interface ConnectionFlags {
  readonly address?: Address;
  readonly name?: string;
  readonly timeout?: number;
}

// Each key is also an environment variable: TAGPLANE_ADDRESS, TAGPLANE_NAME.
const fileSchema = z.strictObject({
  address: addressField.optional(),
  name: z
    .string()
    .refine(
      isOperatorName,
      'expected letters, digits, ".", "_", "@" or "-", beginning with a letter or digit',
    )
    .optional(),
});

/**
 * Flags over environment over `~/.config/tagplane/config.yaml` over defaults.
 *
 * @throws TagctlError (usage) that names the key or file
 */
export function readSettings(flags: ConnectionFlags, io: Pick<TagctlIo, 'env' | 'homeDir'>): Settings {
  const configured = readConfigured(io);
  const address = flags.address ?? configured.address ?? DEFAULT_ADDRESS;
  return {
    address,
    addressText: formatAddress(address),
    peer: operatorPeer(flags.name ?? configured.name, io.env),
    timeoutMs: flags.timeout ?? DEFAULT_TIMEOUT_MS,
  };
}

function readConfigured(io: Pick<TagctlIo, 'env' | 'homeDir'>): z.output<typeof fileSchema> {
  const file = configFile(io);
  try {
    return loadConfig(fileSchema, { file: existsSync(file) ? file : undefined, env: io.env });
  } catch (error) {
    if (error instanceof ConfigError) throw usageError(placed(error.message, file), error);
    throw error;
  }
}

/** The XDG base directory specification asks to ignore a relative path. */
export function configFile({ env, homeDir }: Pick<TagctlIo, 'env' | 'homeDir'>): string {
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  return join(xdg.startsWith('/') ? xdg : join(homeDir, '.config'), 'tagplane', 'config.yaml');
}

function placed(message: string, file: string): string {
  if (message.startsWith(file)) return message;
  return `${message} (in ${existsSync(file) ? `${file} or ` : ''}the environment)`;
}
