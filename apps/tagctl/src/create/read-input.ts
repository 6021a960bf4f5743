import { createReadStream } from 'node:fs';
import { usageError } from '../errors.ts';
import type { TagctlIo } from '../io.ts';

/** More than a hundred thousand documents; less than what a mistaken file (a disk image) holds. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * The text of a file, or of standard input for `-`.
 *
 * @throws TagctlError (usage) when it cannot be read, is too large, or is no UTF-8
 */
export async function readInput(file: string, io: Pick<TagctlIo, 'stdin' | 'signal'>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const source: AsyncIterable<Uint8Array> =
      file === '-' ? io.stdin : createReadStream(file, { signal: io.signal });
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`);
      chunks.push(chunk);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw usageError(`cannot read ${file}: ${reason(error)}`, error);
  }
}

function reason(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'it is no UTF-8 text';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
