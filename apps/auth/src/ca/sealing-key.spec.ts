import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, configKeys } from '@tagplane/runtime';
import { z } from 'zod';
import { caField, makeKeyFile, readSealingKey } from './sealing-key.ts';

const key = randomBytes(32);
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealing-key-'));
  file = join(folder, 'ca.key');
});
afterEach(() => rm(folder, { recursive: true }));

describe('readSealingKey', () => {
  it.each([
    ['hex', key.toString('hex')],
    ['upper-case hex', key.toString('hex').toUpperCase()],
    ['base64', key.toString('base64')],
    ['base64url', key.toString('base64url')],
    ['lines around it', `\n${key.toString('base64')}\r\n`],
  ])('reads 32 bytes in %s, from the file or the configuration', async (_form, text) => {
    await writeFile(file, text, { mode: 0o600 });
    expect(Buffer.from(await readSealingKey({ key_file: file }))).toEqual(key);
    expect(Buffer.from(await readSealingKey({ key: text }))).toEqual(key);
  });

  it.each([
    ['31 bytes in hex', key.subarray(1).toString('hex')],
    ['33 bytes in base64', Buffer.concat([key, key]).subarray(0, 33).toString('base64')],
    ['something else', 'the secret word'],
    ['two keys', `${key.toString('hex')}\n${key.toString('hex')}`],
    ['a large file', 'a'.repeat(2_000)],
  ])('refuses %s, without quoting it', async (_what, text) => {
    await writeFile(file, text, { mode: 0o600 });
    const problem = 'expected 32 bytes in base64 or hex';
    await expect(readSealingKey({ key_file: file })).rejects.toThrow(
      new ConfigError(`ca.key_file: ${file} holds no key: ${problem}`),
    );
    await expect(readSealingKey({ key: text })).rejects.toThrow(new ConfigError(`ca.key: ${problem}`));
  });

  it.each([0o640, 0o604, 0o620, 0o777])('refuses a file of mode %o', async (mode) => {
    await writeFile(file, key.toString('hex'));
    await chmod(file, mode);
    await expect(readSealingKey({ key_file: file })).rejects.toThrow(
      new ConfigError(`ca.key_file: ${file} is readable by others: chmod 600 ${file}`),
    );
  });

  it('says what is missing', async () => {
    await expect(readSealingKey({})).rejects.toThrow(/^ca\.key_file: required: /);
    await expect(readSealingKey({ key_file: file })).rejects.toThrow(
      new ConfigError(`ca.key_file: there is no ${file}; 'tagplane-auth bootstrap' makes it`),
    );
    await expect(readSealingKey({ key_file: folder })).rejects.toThrow(/^ca\.key_file: /);
    await expect(readSealingKey({ key: 'x', key_file: file })).rejects.toThrow(
      'ca.key: only without ca.key_file',
    );
  });
});

describe('makeKeyFile', () => {
  it("makes a new key in a file of its owner's alone, and never overwrites one", async () => {
    const nested = join(folder, 'a', 'b', 'ca.key');
    await makeKeyFile(nested);
    await makeKeyFile(file);
    expect((await stat(nested)).mode & 0o777).toBe(0o600);
    const [one, other] = await Promise.all([
      readSealingKey({ key_file: nested }),
      readSealingKey({ key_file: file }),
    ]);
    expect(one).not.toEqual(other);
    const before = await readFile(file, 'utf8');
    await expect(makeKeyFile(file)).rejects.toThrow('EEXIST');
    expect(await readFile(file, 'utf8')).toBe(before);
  });
});

describe('caField', () => {
  it('stands in the environment under its names', () => {
    const keys = configKeys(z.strictObject({ ca: caField.prefault({}) }));
    expect(keys.map(({ variable }) => variable)).toEqual(['TAGPLANE_CA_KEY_FILE', 'TAGPLANE_CA_KEY']);
  });
});
