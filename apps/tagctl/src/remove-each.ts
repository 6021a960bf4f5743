import { EXIT_FAILED, EXIT_OK } from './errors.ts';
import { visible } from './format/escape.ts';
import type { Format } from './format/formats.ts';
import { printDocument } from './format/print.ts';
import type { TagctlIo } from './io.ts';

/** Removes one after the other, and says which there were; exit 1 when one of them was not there. */
export async function removeEach(
  target: {
    /** In singular, such as `token`. */
    readonly what: string;
    readonly ids: readonly string[];
    readonly format: Format;
    readonly io: TagctlIo;
  },
  remove: (id: string) => Promise<boolean>,
): Promise<number> {
  const { what, format, io } = target;
  const removed: string[] = [];
  const missing: string[] = [];
  for (const id of new Set(target.ids)) {
    const was = await remove(id);
    (was ? removed : missing).push(id);
    if (format !== 'table') continue;
    if (was) await io.stdout.write(`${what} ${visible(id)} removed\n`);
    else await io.stderr.write(`tagctl: no ${what} '${visible(id)}'\n`);
  }
  if (format !== 'table') await printDocument(format, { removed, missing }, io);
  return missing.length === 0 ? EXIT_OK : EXIT_FAILED;
}
