import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Far above what a program of ours keeps; a larger file is not one of its own. */
const MAX_BYTES = 4 * 1024 * 1024;
const OWNER_ONLY = 0o600;

/** Others than the owner may use a file that is the owner's alone. */
export class FileModeError extends Error {
  override readonly name = 'FileModeError';
}

/**
 * Replaces a file's content so that a crash at any point leaves the old content or the new, whole. A
 * directory that is missing is made, for the owner only.
 *
 * @param options.mode permissions of the file; default: its owner reads and writes, nobody else
 */
export async function writeAtomically(
  path: string,
  text: string,
  options: { readonly mode?: number } = {},
): Promise<void> {
  // Of one writer only: two that write the same file must not write into each other's.
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await using file = await open(temporary, 'wx', OWNER_ONLY);
    await file.writeFile(text);
    // Apart from opening, as the process's umask would take its share there.
    if (options.mode !== undefined) await file.chmod(options.mode);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await rename(temporary, path);
  await using directory = await open(dirname(path), 'r');
  await directory.sync();
}

/**
 * The content; undefined when there is no file.
 *
 * @param options.maxBytes a larger file is refused; default 4 MiB
 * @param options.ownerOnly refuse a file that its group or others may read or write
 * @throws FileModeError for such a file
 */
export async function readIfThere(
  path: string,
  options: { readonly maxBytes?: number; readonly ownerOnly?: boolean } = {},
): Promise<string | undefined> {
  const { maxBytes = MAX_BYTES, ownerOnly = false } = options;
  try {
    await using file = await open(path, 'r');
    const { size, mode } = await file.stat();
    if (ownerOnly && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw new FileModeError(`${path} is not its owner's alone (mode ${shown}): chmod 600 ${path}`);
    }
    if (size > maxBytes) throw new Error(`${path} has ${size} bytes, more than the ${maxBytes} it may have`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Moves a file that cannot be used out of the way, over an earlier such file.
 *
 * @returns where it is now
 */
export async function setAside(path: string): Promise<string> {
  const aside = `${path}.bad`;
  await rename(path, aside);
  return aside;
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
