import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, messageOf } from '../../errors.ts';

const WRITABLE_BY_OTHERS = 0o022;

export interface PathProblem {
  readonly text: string;
  /** What to do, for a person. */
  readonly fix: string;
}

/**
 * Why sshd would not run a file, or should not: it, or a directory on the way to it, is not root's or can be
 * written by others. The same rule as sshd's own for AuthorizedPrincipalsCommand.
 *
 * @returns undefined: nothing
 */
export async function pathProblem(path: string): Promise<PathProblem | undefined> {
  try {
    for (let at = await realpath(path); ; at = dirname(at)) {
      const { uid, mode } = await stat(at);
      if (uid !== 0) return { text: `${at} is owned by user ${uid}`, fix: `chown root ${at}` };
      if ((mode & WRITABLE_BY_OTHERS) !== 0) {
        return { text: `${at} can be written by others`, fix: `chmod go-w ${at}` };
      }
      if (at === '/') return undefined;
    }
  } catch (error) {
    return { text: messageOf(error), fix: `see that ${path} is there` };
  }
}

/**
 * Why somebody else could answer in the agent's place: a directory on the way to its socket, of those that are
 * there, can be written by others.
 *
 * @returns undefined: nobody could
 */
export async function socketProblem(socket: string): Promise<PathProblem | undefined> {
  for (let at = dirname(socket); ; at = dirname(at)) {
    const mode = await modeOf(at);
    if (mode !== undefined && (mode & WRITABLE_BY_OTHERS) !== 0) {
      return { text: `${at} can be written by others, who could answer there`, fix: `chmod go-w ${at}` };
    }
    if (at === '/') return undefined;
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    // The agent makes it.
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
