import { randomBytes } from 'node:crypto';
import { readIfThere, writeAtomically } from '@tagplane/runtime';

const KEY_BYTES = 32;
const KEY = new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}\n$`);

/**
 * The key that this agent seals its files with; undefined when there is none that can be used.
 *
 * @throws FileModeError when others than the owner may read it
 */
export async function readStateKey(path: string): Promise<Uint8Array | undefined> {
  const text = await readIfThere(path, { maxBytes: 1_024, ownerOnly: true });
  return text !== undefined && KEY.test(text) ? Buffer.from(text.trim(), 'hex') : undefined;
}

/** Makes another one: whatever the one before sealed is refused from now on. */
export async function writeStateKey(path: string): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  await writeAtomically(path, `${key.toString('hex')}\n`);
  return key;
}
