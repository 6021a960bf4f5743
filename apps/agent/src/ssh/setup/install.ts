import { rm } from 'node:fs/promises';
import { readIfThere, writeAtomically } from '@tagplane/runtime';
import { dropInText, isOurs } from './drop-in.ts';
import type { DropIn } from './drop-in.ts';
import { configProblem } from './sshd.ts';
import type { Sshd } from './sshd.ts';

/** What was done to the file, or why nothing was. */
export type Installed =
  | { readonly done: 'written' | 'unchanged' | 'removed' | 'absent' }
  | { readonly done: 'refused'; readonly problem: string };

const READABLE = 0o644;

/** Where the file is, and which sshd reads it. */
export interface Place {
  readonly file: string;
  readonly sshd: Sshd;
}

/**
 * Writes the file, and has sshd check its configuration with it; when that fails the file is as it was before.
 *
 * @throws Error when the file can be neither read nor written
 */
export async function install(
  { file, sshd }: Place,
  dropIn: DropIn,
  signal: AbortSignal,
): Promise<Installed> {
  const before = await readIfThere(file);
  if (before !== undefined && !isOurs(before)) return notOurs(file);
  const problem = await configProblem(sshd, signal);
  // What was wrong before is not for this to mend, unless it is this file that is wrong.
  if (problem !== undefined && before === undefined) return { done: 'refused', problem };
  const text = dropInText(dropIn);
  if (text === before && problem === undefined) return { done: 'unchanged' };
  return await change({ file, sshd }, before, text, signal);
}

/** Removes the file if it is ours, and has sshd check its configuration without it. */
export async function uninstall({ file, sshd }: Place, signal: AbortSignal): Promise<Installed> {
  const before = await readIfThere(file);
  if (before === undefined) return { done: 'absent' };
  if (!isOurs(before)) return notOurs(file);
  if ((await configProblem(sshd, signal)) === undefined) {
    return await change({ file, sshd }, before, undefined, signal);
  }
  // It is wrong with the file: without it it can hardly be worse.
  await put(file, undefined);
  return { done: 'removed' };
}

async function change(
  { file, sshd }: Place,
  before: string | undefined,
  after: string | undefined,
  signal: AbortSignal,
): Promise<Installed> {
  let problem: string | undefined = 'stopped before sshd could check it';
  try {
    await put(file, after);
    problem = await configProblem(sshd, signal);
  } finally {
    if (problem !== undefined) await put(file, before);
  }
  if (problem !== undefined) return { done: 'refused', problem };
  return { done: after === undefined ? 'removed' : 'written' };
}

async function put(file: string, text: string | undefined): Promise<void> {
  if (text === undefined) await rm(file, { force: true });
  else await writeAtomically(file, text, { mode: READABLE });
}

function notOurs(file: string): Installed {
  return { done: 'refused', problem: `${file} is there, and not by ssh install: it is left alone` };
}
