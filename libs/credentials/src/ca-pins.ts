import { parsePin } from '@tagplane/identity';
import { readIfThere } from '@tagplane/runtime';
import type { PinSource } from './config-fields.ts';
import { MAX_PINS } from './config-fields.ts';

const MAX_PIN_FILE_BYTES = 4 * 1024;

/**
 * The pins of the authority. A file is read anew each time: the authority may have been replaced.
 *
 * @throws Error that names the file
 */
export async function readCaPins({ pins, pinFile }: PinSource): Promise<readonly string[]> {
  if (pinFile === undefined) return pins;
  const text = await readIfThere(pinFile, { maxBytes: MAX_PIN_FILE_BYTES });
  if (text === undefined) throw new Error(`there is no pin of the authority: ${pinFile} does not exist`);
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const read = words.map(parsePin).filter((pin) => pin !== undefined);
  if (read.length === 0 || read.length < words.length || read.length > MAX_PINS) {
    throw new Error(`${pinFile} holds no pins: expected sha256: and 64 hexadecimal digits, one a line`);
  }
  return [...new Set([...pins, ...read])];
}
