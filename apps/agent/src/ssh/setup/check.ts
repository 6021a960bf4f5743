import { readIfThere } from '@tagplane/runtime';
import { checkAgent } from './check-agent.ts';
import { judgeConfig } from './check-config.ts';
import { checkCaKeys, checkProgram, checkSocket } from './check-files.ts';
import { isOurs } from './drop-in.ts';
import type { Finding } from './finding.ts';
import { bad, good } from './finding.ts';
import type { Place } from './install.ts';
import { probe } from './probe.ts';
import { effectiveConfig } from './sshd.ts';

export interface CheckOptions {
  readonly place: Place;
  /** As whom somebody would log in. */
  readonly login: string;
  /** The agent's own. */
  readonly agentSocket: string;
}

/** Looks at everything that a login depends on, from sshd to the agent's labels. */
export async function checkSetup(options: CheckOptions, signal: AbortSignal): Promise<Finding[]> {
  const { place, login, agentSocket } = options;
  return [...(await checkSshd(place, login, signal)), ...(await checkAgent(agentSocket, signal))];
}

async function checkSshd({ file, sshd }: Place, login: string, signal: AbortSignal): Promise<Finding[]> {
  const effective = await effectiveConfig(sshd, login, signal);
  if (typeof effective === 'string') {
    return [
      bad(
        `sshd refuses its configuration: ${effective}`,
        `mend ${sshd.config}; sshd -t says when it is good`,
      ),
    ];
  }
  const present = isOurs((await readIfThere(file)) ?? '');
  const { findings, configured } = judgeConfig(effective, { file, present });
  const caKeys = effective.get('trustedusercakeys') ?? 'none';
  return [
    good(`sshd takes ${sshd.config}`),
    ...findings,
    ...(caKeys === 'none' ? [] : await checkCaKeys(caKeys)),
    ...(configured === undefined ? [] : await checkProgram(configured.command.program)),
    ...(await checkSocket(configured?.command.socket)),
    ...(configured === undefined ? [] : [await probe(configured, login, signal)]),
  ];
}
