import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SECOND } from '@tagplane/runtime';
import { messageOf } from '../../errors.ts';
import type { ConfiguredSshd } from './check-config.ts';
import type { Finding } from './finding.ts';
import { bad, good } from './finding.ts';
import { userGroupId, userId } from './user.ts';

/**
 * A certificate of key id `tagplane-agent ssh check` and the only principal `tagplane-agent-ssh-check`, good for
 * one second of the year 2026 and signed by nobody who is known.
 */
const CERTIFICATE = [
  'AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIMFZWAhjABUrYpuNlK9HVcBZE1fzbidDwJX2pUKo6tJlAAAAIFs6j8',
  'UGh1U9c6453iNMXPcbwHpyPgPdR0CQplTaBFUcAAAAAAAAAAAAAAABAAAAGHRhZ3BsYW5lLWFnZW50IHNzaCBjaGVjawAAABwAAAAYdGFn',
  'cGxhbmUtYWdlbnQtc3NoLWNoZWNrAAAAAGlVuQAAAAAAaVW5AQAAAAAAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgZEkqXE2ukb',
  'VJPv3kMQ+ee2W2zYmbYjIk72ZhvrT4/5kAAABTAAAAC3NzaC1lZDI1NTE5AAAAQJKF9J1gHpH01gWtreXB6l99eX1475k16xKTmYdzttxj',
  'w3Nyjwa+tj0iYPoVTcPBTrsGOsh9Z0OpmZI1PtKGkAw=',
].join('');

const TIMEOUT_MS = 20 * SECOND;
const run = promisify(execFile);

/** Runs what sshd runs, as whom sshd runs it, with a certificate that lets nobody in. */
export async function probe(
  { command, user }: ConfiguredSshd,
  login: string,
  signal: AbortSignal,
): Promise<Finding> {
  const socket = command.socket === undefined ? [] : ['--socket', command.socket];
  const words = [
    ...command.program,
    ...['ssh', 'principals', '--user', login, '--certificate', CERTIFICATE],
    ...socket,
  ];
  try {
    const [first = '', ...args] = await asUser(user, words, signal);
    await run(first, args, {
      signal,
      timeout: TIMEOUT_MS,
      cwd: '/',
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    });
    return good(`the agent answers ${user}`);
  } catch (error) {
    return bad(`the agent does not answer ${user}: ${whyOf(error)}`, fixOf(error, user));
  }
}

/** The words that run these words as somebody, with the groups that they are in, as sshd does. */
async function asUser(
  user: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [uid, gid] = await Promise.all([userId(user, signal), userGroupId(user, signal)]);
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${user}`);
  if (process.getuid?.() === uid) return words;
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--', ...words];
}

function whyOf(error: unknown): string {
  const said: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'stderr') : undefined;
  const text = typeof said === 'string' ? said.trim() : '';
  return text === '' ? messageOf(error) : (text.split('\n').at(-1) ?? '');
}

function fixOf(error: unknown, user: string): string {
  const why = whyOf(error);
  if (why.includes('EACCES')) {
    return `the socket must be one that ${user} may use: see ssh.socket and ssh.group in agent.yaml`;
  }
  if (/ENOENT|ECONNREFUSED/.test(why)) return 'start the agent, with ssh: {} in agent.yaml';
  return `run as ${user} what sshd runs, and see what it says`;
}
