import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type { Library } from './libraries.ts';
import { mustRun } from './run.ts';

/** What of a library's folder goes into its build and its package. */
const PARTS = ['src', 'package.json', 'tsconfig.lib.json', 'README.md', 'LICENSE'];
/** A cold build of all libraries takes 15 s of CPU. */
const BUILD_MS = 300_000;

/** The compiler's own program, for Node to run. */
export const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/**
 * Builds the libraries in a folder of their own, from their sources alone: what earlier builds left in
 * the checkout, also of files that are gone, can neither help nor get into a package.
 *
 * @param into an empty folder
 * @returns the libraries' folders there
 */
export async function buildClean(
  root: string,
  libraries: readonly Library[],
  into: string,
): Promise<string[]> {
  await cp(join(root, 'tsconfig.base.json'), join(into, 'tsconfig.base.json'));
  await mkdir(join(into, 'node_modules', '@tagplane'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    // The workspace's own packages would be those of the checkout.
    if (name !== '@tagplane' && !name.startsWith('.')) {
      await symlink(join(root, 'node_modules', name), join(into, 'node_modules', name));
    }
  }
  const folders = await Promise.all(libraries.map((library) => copyLibrary(library, into)));
  const projects = folders.map((folder) => join(folder, 'tsconfig.lib.json'));
  await mustRun(process.execPath, [TSC, '-b', ...projects], { cwd: into, timeoutMs: BUILD_MS });
  return folders;
}

async function copyLibrary({ folder, manifest }: Library, into: string): Promise<string> {
  const copy = join(into, 'libs', basename(folder));
  for (const part of PARTS) {
    if (existsSync(join(folder, part))) {
      await cp(join(folder, part), join(copy, part), { recursive: true });
    }
  }
  const own = join(folder, 'node_modules');
  if (existsSync(own)) await symlink(own, join(copy, 'node_modules'));
  await symlink(copy, join(into, 'node_modules', manifest.name));
  return copy;
}
