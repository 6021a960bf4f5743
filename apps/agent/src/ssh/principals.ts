import { NoAnswerError, ask } from './ask.ts';
import type { CertificateHolder } from './holder.ts';
import { certificateHolder } from './holder.ts';
import { readPrincipalsOptions } from './options.ts';
import type { PrincipalsOptions } from './options.ts';
import { DECIDE_PATH, DEFAULT_AGENT_SOCKET, DEFAULT_SSH_SOCKET } from './paths.ts';
import { CertificateError } from './wire-reader.ts';

// This and what it imports is all that is loaded while somebody waits to log in: nothing but node:net.

/** What is told to sshd by how the command ends. sshd refuses whenever that is not 0. */
const ENDED = { decided: 0, noAnswer: 1, badUsage: 2, badCertificate: 3 } as const;

/** sshd waits for as long as the command takes, and gives the client two minutes in all. */
export const DEADLINE_MS = 2_000;

/** Where to write: stdout is what sshd reads, stderr what it shows in its own debugging mode. */
export interface PrincipalsIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * For sshd's AuthorizedPrincipalsCommand: prints those principals of a user certificate that may log in as a
 * user on this node now, one a line; nothing on any doubt.
 *
 * @returns the exit code: 0 whatever was decided, 1 when the agent gave no answer, 2 for a bad command line,
 *   3 when the certificate cannot be read
 */
export async function runPrincipals(
  args: readonly string[],
  { stdout, stderr }: PrincipalsIo,
  deadlineMs = DEADLINE_MS,
): Promise<number> {
  const end = (code: number, why: string): number => {
    stderr.write(`tagplane-agent ssh principals: ${why}\n`);
    return code;
  };
  try {
    const options = readPrincipalsOptions(args);
    if (typeof options === 'string') return end(ENDED.badUsage, options);
    const holder = certificateHolder(options.certificate);
    const who = `certificate ${JSON.stringify(holder.keyId)}, serial ${holder.serial}`;
    if (holder.roles.length === 0) return end(ENDED.decided, `${who} has no principal that can be a role`);
    const granted = grantedRoles(await decision(options, holder, deadlineMs), holder.roles);
    if (granted.length === 0) return end(ENDED.decided, `${who} may not log in as ${options.user}`);
    stdout.write(granted.map((role) => `${role}\n`).join(''));
    return ENDED.decided;
  } catch (error) {
    if (error instanceof CertificateError)
      return end(ENDED.badCertificate, `the certificate: ${error.message}`);
    if (error instanceof NoAnswerError) return end(ENDED.noAnswer, `the agent: ${error.message}`);
    return end(ENDED.noAnswer, String(error));
  }
}

async function decision(
  options: PrincipalsOptions,
  { roles, traits, keyId, serial }: CertificateHolder,
  deadlineMs: number,
): Promise<unknown> {
  const body = JSON.stringify({
    login: options.user,
    roles,
    traits: Object.fromEntries(traits),
    certificate: { key_id: keyId, serial },
  });
  const signal = AbortSignal.timeout(deadlineMs);
  const sockets = await socketsOf(options);
  for (const socket of sockets.slice(0, -1)) {
    try {
      return await ask(socket, DECIDE_PATH, body, signal);
    } catch (error) {
      if (!(error instanceof NoAnswerError) || error.code !== 'ENOENT') throw error;
    }
  }
  return await ask(sockets.at(-1) ?? '', DECIDE_PATH, body, signal);
}

/** Where to ask; one that is not there is passed over for the next. */
async function socketsOf({ socket, config }: PrincipalsOptions): Promise<readonly string[]> {
  if (socket !== undefined) return [socket];
  if (config === undefined) return [DEFAULT_SSH_SOCKET, DEFAULT_AGENT_SOCKET];
  const { socketsOfConfig } = await import('./configured.ts');
  return socketsOfConfig(config);
}

/** Those of the roles that the agent says let one in. */
function grantedRoles(answer: unknown, roles: readonly string[]): string[] {
  if (typeof answer !== 'object' || answer === null) throw new NoAnswerError('its answer is no decision');
  const { allowed, granted_by: grantedBy } = answer as { allowed?: unknown; granted_by?: unknown };
  if (typeof allowed !== 'boolean' || !Array.isArray(grantedBy)) {
    throw new NoAnswerError('its answer is no decision');
  }
  return allowed ? roles.filter((role) => grantedBy.includes(role)) : [];
}
