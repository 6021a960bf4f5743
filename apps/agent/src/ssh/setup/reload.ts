import { readIfThere } from '@tagplane/runtime';
import { messageOf } from '../../errors.ts';
import type { Sshd } from './sshd.ts';
import { effectiveConfig } from './sshd.ts';

/**
 * Has the running sshd read its configuration again, as `systemctl reload` does: sessions that are open stay.
 *
 * @returns why it could not, in one line; undefined: done
 */
export async function reloadSshd(sshd: Sshd, signal: AbortSignal): Promise<string | undefined> {
  const effective = await effectiveConfig(sshd, 'root', signal);
  if (typeof effective === 'string') return effective;
  const file = effective.get('pidfile') ?? 'none';
  try {
    const text = (await readIfThere(file))?.trim() ?? '';
    if (!/^[1-9]\d*$/.test(text)) return `no sshd is running: there is no process in ${file}`;
    process.kill(Number(text), 'SIGHUP');
    return undefined;
  } catch (error) {
    return `sshd cannot be told: ${messageOf(error)}`;
  }
}
