import { VERSION } from '@tagplane/runtime';
import { EXIT_OK } from '../errors.ts';
import type { Format } from '../format/formats.ts';
import type { TagctlIo } from '../io.ts';

/** `version`: tagctl's own, without asking anyone. */
export async function showVersion(format: Format, io: TagctlIo): Promise<number> {
  if (format === 'table') {
    await io.stdout.write(`tagctl ${VERSION}\n`);
    return EXIT_OK;
  }
  // Not at the top: people who ask for the version need not wait for a YAML library.
  const { printDocument } = await import('../format/print.ts');
  await printDocument(format, { name: 'tagctl', version: VERSION }, io);
  return EXIT_OK;
}
