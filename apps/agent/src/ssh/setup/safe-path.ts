import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../errors.ts';

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
