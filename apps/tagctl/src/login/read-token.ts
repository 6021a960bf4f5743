import { readInput } from '../create/read-input.ts';
import { usageError } from '../errors.ts';
import type { TagctlIo } from '../io.ts';

/** What a join token can be made of; anything else is another file. */
const TOKEN = /^[\x21-\x7e]{1,256}$/;

/**
 * The token in a file, or on standard input for `-`.
 *
 * @throws TagctlError (usage) when there is none; quotes nothing of what is there
 */
export async function readToken(file: string, io: Pick<TagctlIo, 'stdin' | 'signal'>): Promise<string> {
  const token = (await readInput(file, io)).trim();
  if (TOKEN.test(token)) return token;
  throw usageError(
    `${file === '-' ? 'standard input' : file} holds no token: expected it alone, on one line`,
  );
}
