import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The number of a user of this machine, wherever the machine has its users from; undefined: there is none. */
export async function userId(user: string, signal: AbortSignal): Promise<number | undefined> {
  return await idOf('-u', user, signal);
}

/** The number of the user's own group. */
export async function userGroupId(user: string, signal: AbortSignal): Promise<number | undefined> {
  return await idOf('-g', user, signal);
}

async function idOf(flag: string, user: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { stdout } = await run('id', [flag, '--', user], { signal });
    return Number(stdout);
  } catch (error) {
    signal.throwIfAborted();
    if (typeof error === 'object' && error !== null && typeof Reflect.get(error, 'code') === 'number')
      return undefined;
    throw error;
  }
}
