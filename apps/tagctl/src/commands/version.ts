import { VERSION } from '@tagplane/runtime';
import { EXIT_OK } from '../errors.ts';
import type { Format } from '../format/document.ts';
import { printDocument } from '../format/print.ts';
import type { TagctlIo } from '../io.ts';

/** `version`: tagctl's own, without asking anyone. */
export async function showVersion(format: Format, io: TagctlIo): Promise<number> {
  if (format === 'table') await io.stdout.write(`tagctl ${VERSION}\n`);
  else await printDocument(format, { name: 'tagctl', version: VERSION }, io);
  return EXIT_OK;
}
