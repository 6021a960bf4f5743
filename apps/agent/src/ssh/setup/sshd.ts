import { execFile } from 'node:child_process';
import { SECOND } from '@tagplane/runtime';
import { isErrno, messageOf } from '../../errors.ts';

/** sshd's program, and the configuration that it reads. */
export interface Sshd {
  readonly program: string;
  readonly config: string;
}

const TIMEOUT_MS = 20 * SECOND;

/** What is wrong with the configuration, in sshd's own words; undefined: nothing. */
export async function configProblem(sshd: Sshd, signal: AbortSignal): Promise<string | undefined> {
  const { problem } = await run(sshd, ['-t'], signal);
  return problem;
}

/**
 * The configuration that is in force for a user who logs in from this machine, by its keywords in lower case; of
 * one that stands there more than once the first.
 *
 * @returns a problem as text, in sshd's own words
 */
export async function effectiveConfig(
  sshd: Sshd,
  login: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | string> {
  const { problem, stdout } = await run(
    sshd,
    ['-T', '-C', `user=${login},host=localhost,addr=127.0.0.1`],
    signal,
  );
  return problem ?? parseEffective(stdout);
}

/** Reads what `sshd -T` prints. */
export function parseEffective(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, keyword, value = ''] = /^(\S+)\s?(.*)$/.exec(line) ?? [];
    if (keyword !== undefined && !values.has(keyword.toLowerCase())) values.set(keyword.toLowerCase(), value);
  }
  return values;
}

interface Ran {
  readonly problem: string | undefined;
  readonly stdout: string;
}

function run({ program, config }: Sshd, args: readonly string[], signal: AbortSignal): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { signal, timeout: TIMEOUT_MS, encoding: 'utf8' } as const;
    execFile(program, [...args, '-f', config], options, (error, stdout, stderr) => {
      resolve({ stdout, problem: error === null ? undefined : problemOf(error, program, stderr) });
    });
  });
}

function problemOf(error: Error, program: string, stderr: string): string {
  if (isErrno(error, 'ENOENT')) return `there is no ${program}`;
  const said = stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  if (!said.includes('Missing privilege separation directory')) return said === '' ? messageOf(error) : said;
  return `${said} (it is made when sshd is started; until then: mkdir -p /run/sshd)`;
}
