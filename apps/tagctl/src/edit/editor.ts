import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { TagctlError } from '../errors.ts';
import type { TagctlIo } from '../io.ts';

/** Every system has it. */
const FALLBACK = 'vi';

/**
 * Lets a person edit a file by $VISUAL or $EDITOR, which may have arguments, on the terminal of this process.
 *
 * @throws TagctlError when it cannot be started, or ends badly
 */
export async function runEditor(file: string, { env }: Pick<TagctlIo, 'env'>): Promise<void> {
  const editor = [env['VISUAL'], env['EDITOR']].find((each) => each !== undefined && each !== '') ?? FALLBACK;
  // By a shell, as git does it: an editor is a command line, and the file's name is no part of it.
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === 0) return;
  const how = signal === null ? `with exit code ${code ?? '?'}` : `by signal ${constants.signals[signal]}`;
  throw new TagctlError(`the editor '${editor}' ended ${how}; set VISUAL or EDITOR to another`);
}
