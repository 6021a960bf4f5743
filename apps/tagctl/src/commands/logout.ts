import { rm } from 'node:fs/promises';
import type { GlobalFlags } from '../context.ts';
import { EXIT_OK } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { printDocument } from '../format/print.ts';
import type { TagctlIo } from '../io.ts';
import { credentialsFile } from '../settings.ts';

/** `logout`: the file that `login` wrote is no more. The certificate in it stays good until it ends. */
export async function logout({ format }: GlobalFlags, io: TagctlIo): Promise<number> {
  const file = credentialsFile(io);
  let removed = true;
  try {
    await rm(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    removed = false;
  }
  if (format !== 'table') await printDocument(format, { file, removed }, io);
  else await io.stdout.write(removed ? `${visible(file)} removed\n` : `there is no ${visible(file)}\n`);
  return EXIT_OK;
}
