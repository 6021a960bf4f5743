import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readJoinToken } from './join-token.ts';

let directory: string;
let tokenFile: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'join-token-'));
  tokenFile = join(directory, 'token');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('readJoinToken', () => {
  it('is the text given', async () => {
    expect(await readJoinToken({ token: 'tp1.a.b' })).toBe('tp1.a.b');
  });

  it('reads the file each time, without the end of its line', async () => {
    await writeFile(tokenFile, 'first\n');
    expect(await readJoinToken({ tokenFile })).toBe('first');
    await writeFile(tokenFile, 'second');
    expect(await readJoinToken({ tokenFile })).toBe('second');
  });

  it('says which file is missing', async () => {
    await expect(readJoinToken({ tokenFile })).rejects.toThrow(`${tokenFile} does not exist`);
  });

  it.each(['', ' \n', 'two words', 'x'.repeat(257), 'x'.repeat(5_000)])(
    'quotes nothing of a file that holds none',
    async (text) => {
      await writeFile(tokenFile, text);
      const problem = String(await readJoinToken({ tokenFile }).catch((error: unknown) => error));
      expect(problem).toMatch(/token/);
      expect(problem).not.toMatch(/two words|xxx/);
    },
  );
});
