import { readFile } from 'node:fs/promises';
import { ConfigError } from '@tagplane/runtime';

const FILE = '/etc/group';

/**
 * The number of a group of this machine: Node cannot ask the system for it, so a name must be in /etc/group.
 *
 * @param group name or number
 * @throws ConfigError naming `ssh.group` when there is none of that name
 */
export async function groupId(group: string, file = FILE): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const lines = (await readFile(file, 'utf8')).split('\n');
  const [, , id] = lines.map((line) => line.split(':')).find(([name]) => name === group) ?? [];
  if (id === undefined)
    throw new ConfigError(`ssh.group: there is no ${group} in ${file}; its number will do`);
  return Number(id);
}
