import { stat } from 'node:fs/promises';
import { readIfThere, writeAtomically } from '@tagplane/runtime';
import { parseDocument } from 'yaml';
import type { TagctlIo } from '../io.ts';
import { configFile } from '../settings.ts';

/** Puts the address into config.yaml, and leaves all else there as it is, comments included. */
export async function rememberAddress(address: string, io: Pick<TagctlIo, 'env' | 'homeDir'>): Promise<void> {
  const file = configFile(io);
  const before = (await readIfThere(file)) ?? '';
  const document = parseDocument(before);
  if (document.get('address') === address) return;
  document.set('address', address);
  const mode = before === '' ? 0o600 : (await stat(file)).mode & 0o777;
  await writeAtomically(file, document.toString({ lineWidth: 0 }), { mode });
}
