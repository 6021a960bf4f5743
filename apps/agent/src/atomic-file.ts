import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from './errors.ts';

/** Far above what an agent keeps; a larger file is not one of its own. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Replaces a file's content so that a crash at any point leaves the old content or the new, whole.
 * The file is readable by its owner only.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  // A left-over of a crash may have other permissions.
  await rm(temporary, { force: true });
  {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(temporary, path);
  await using directory = await open(dirname(path), 'r');
  await directory.sync();
}

/** The content; undefined when there is no file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes, more than an agent writes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Moves a file that cannot be used out of the way, over an earlier such file. */
export async function setAside(path: string): Promise<string> {
  const aside = `${path}.bad`;
  await rename(path, aside);
  return aside;
}
