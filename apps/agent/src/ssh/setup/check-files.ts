import { readIfThere } from '@tagplane/runtime';
import { messageOf } from '../../errors.ts';
import type { Finding } from './finding.ts';
import { bad, good } from './finding.ts';
import { pathProblem, socketProblem } from './safe-path.ts';

/** Whether the program that sshd is to run can be changed by root alone: sshd refuses to run it otherwise. */
export async function checkProgram(program: readonly string[]): Promise<Finding[]> {
  const files = program.filter((word) => word.startsWith('/'));
  return await Promise.all(
    files.map(async (file) => {
      const problem = await pathProblem(file);
      return problem === undefined
        ? good(`${file} is root's alone to change`)
        : bad(`sshd must not run ${file}: ${problem.text}`, problem.fix);
    }),
  );
}

const KEY = /^(?:[^#\s]\S*\s+)?(?:ssh|ecdsa|sk)-\S+\s+AAAA/m;

/** Why a file is none with public keys of authorities; undefined: it is one. */
export async function caKeysProblem(file: string): Promise<string | undefined> {
  try {
    const text = await readIfThere(file);
    if (text === undefined) return `there is no ${file}`;
    return KEY.test(text) ? undefined : `${file} has no public key in it`;
  } catch (error) {
    return messageOf(error);
  }
}

export async function checkCaKeys(file: string): Promise<Finding[]> {
  const problem = await caKeysProblem(file);
  return problem === undefined ? [] : [bad(problem, `put the authority's public key into ${file}`)];
}

/** Whether only the agent can answer at its socket: who answers there decides who gets in. */
export async function checkSocket(socket: string | undefined): Promise<Finding[]> {
  const problem = socket === undefined ? undefined : await socketProblem(socket);
  return problem === undefined ? [] : [bad(problem.text, problem.fix)];
}
