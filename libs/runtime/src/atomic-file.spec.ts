import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileModeError, readIfThere, setAside, writeAtomically } from './atomic-file.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'atomic-file-'));
  path = join(directory, 'file');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

describe('writeAtomically', () => {
  it('writes for the owner only, replaces, and leaves nothing else behind', async () => {
    await writeAtomically(path, 'one');
    await writeAtomically(path, 'two');
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(directory)).toEqual(['file']);
  });

  it('gives the permissions asked for, whatever the umask', async () => {
    const umask = process.umask(0o077);
    try {
      await writeAtomically(path, 'open', { mode: 0o644 });
    } finally {
      process.umask(umask);
    }
    expect(await modeOf(path)).toBe(0o644);
  });

  it('makes the directory, for the owner only', async () => {
    const nested = join(directory, 'a', 'b');
    await writeAtomically(join(nested, 'file'), 'x');
    expect(await modeOf(nested)).toBe(0o700);
  });

  it('takes nothing over from the left-over of a crash', async () => {
    await writeFile(`${path}.tmp`, 'half a file that is longer', { mode: 0o666 });
    await writeAtomically(path, 'whole');
    expect(await readFile(path, 'utf8')).toBe('whole');
    expect(await modeOf(path)).toBe(0o600);
  });

  it('leaves the old content when the new cannot be written', async () => {
    await writeAtomically(path, 'old');
    await expect(writeAtomically(join(path, 'below-a-file'), 'x')).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});

describe('readIfThere', () => {
  it('is undefined without a file, and the content with one', async () => {
    expect(await readIfThere(path)).toBeUndefined();
    await writeAtomically(path, 'ünï');
    expect(await readIfThere(path)).toBe('ünï');
  });

  it('refuses what is larger than it may be', async () => {
    await writeAtomically(path, '12345');
    expect(await readIfThere(path, { maxBytes: 5 })).toBe('12345');
    await expect(readIfThere(path, { maxBytes: 4 })).rejects.toThrow(/5 bytes, more than the 4/);
  });

  it.each(['640', '604', '660', '666'])('refuses mode %s where the file is its owner alone', async (mode) => {
    await writeAtomically(path, 'secret');
    expect(await readIfThere(path, { ownerOnly: true })).toBe('secret');
    await chmod(path, parseInt(mode, 8));
    const problem = await readIfThere(path, { ownerOnly: true }).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(FileModeError);
    expect(String(problem)).toContain(`mode 0${mode}): chmod 600 ${path}`);
    expect(await readIfThere(path)).toBe('secret');
  });

  it('passes other problems on', async () => {
    await expect(readIfThere(directory)).rejects.toThrow(/EISDIR/);
  });
});

describe('setAside', () => {
  it('moves the file over an earlier one', async () => {
    await writeFile(`${path}.bad`, 'earlier');
    await writeFile(path, 'broken');
    expect(await setAside(path)).toBe(`${path}.bad`);
    expect(await readFile(`${path}.bad`, 'utf8')).toBe('broken');
    expect(await readIfThere(path)).toBeUndefined();
  });
});
