import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SEALING_KEY_BYTES } from '@tagplane/pki';
import { ConfigError, errorMessage } from '@tagplane/runtime';
import { z } from 'zod';

/** `ca` in the configuration. */
export const caField = z.strictObject({
  key_file: z
    .string()
    .min(1)
    .optional()
    .describe(
      'the file with the key that seals the authority in the store, for its owner only; all auth processes need the same one',
    ),
  key: z.string().min(1).optional().describe('the same key itself: 32 bytes in base64 or hex'),
});

export type CaConfig = z.output<typeof caField>;

const FORM = `expected ${SEALING_KEY_BYTES} bytes in base64 or hex`;
/** A key and a line end; a larger file holds something else. */
const MAX_FILE_BYTES = 1_024;

/** @throws ConfigError that names the key of the configuration, and never holds the key itself */
export async function readSealingKey(config: CaConfig): Promise<Uint8Array> {
  const { key, key_file: file } = config;
  if (key !== undefined) {
    if (file !== undefined) throw new ConfigError('ca.key: only without ca.key_file');
    return parseSealingKey(key) ?? fail(`ca.key: ${FORM}`);
  }
  const text = await readKeyFile(requiredKeyFile(config));
  return parseSealingKey(text ?? '') ?? fail(`ca.key_file: ${file ?? ''} holds no key: ${FORM}`);
}

/** @throws ConfigError where none is named */
export function requiredKeyFile({ key_file: file }: CaConfig): string {
  return file ?? fail('ca.key_file: required: the file with the key that seals the authority in the store');
}

/** Whether there is a file of that name. */
export async function keyFileExists(path: string): Promise<boolean> {
  try {
    await using _file = await open(path, 'r');
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw unreadable(path, error);
  }
}

/** Makes the file with a new key, for its owner only. A directory that is missing is made. */
export async function makeKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(`${randomBytes(SEALING_KEY_BYTES).toString('base64')}\n`);
  await file.sync();
}

function parseSealingKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return Buffer.from(trimmed, 'base64');
  return undefined;
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new ConfigError(`ca.key_file: ${path} is readable by others: chmod 600 ${path}`);
    }
    return size > MAX_FILE_BYTES ? undefined : await file.readFile('utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (hasCode(error, 'ENOENT')) {
      throw new ConfigError(`ca.key_file: there is no ${path}; 'tagplane-auth bootstrap' makes it`);
    }
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): ConfigError {
  return new ConfigError(`ca.key_file: ${path} cannot be read: ${errorMessage(error)}`, { cause: error });
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

function fail(problem: string): never {
  throw new ConfigError(problem);
}
