import { readIfThere } from '@tagplane/runtime';
import type { TokenSource } from './config-fields.ts';

const MAX_TOKEN_FILE_BYTES = 4 * 1024;

/**
 * The join token. A file is read anew each time: a new token may have been put there.
 *
 * @throws Error that names the file, never its content
 */
export async function readJoinToken(source: TokenSource): Promise<string> {
  if ('token' in source) return source.token;
  const { tokenFile } = source;
  const text = await readIfThere(tokenFile, { maxBytes: MAX_TOKEN_FILE_BYTES });
  if (text === undefined) throw new Error(`there is no join token: ${tokenFile} does not exist`);
  const token = text.trim();
  if (!/^\S{1,256}$/.test(token)) throw new Error(`${tokenFile} holds no join token`);
  return token;
}
