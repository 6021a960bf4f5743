import { dirname } from 'node:path';
import type { OurCommand } from './drop-in.ts';
import { ourCommand } from './drop-in.ts';
import type { Finding } from './finding.ts';
import { bad, good } from './finding.ts';

/** What sshd would do, as far as it is ours. */
export interface ConfiguredSshd {
  readonly command: OurCommand;
  readonly user: string;
}

const REINSTALL = 'tagplane-agent ssh install';

/**
 * Judges what is in force in sshd.
 *
 * @param effective as `sshd -T` says it
 * @param dropIn the file of `ssh install`, and whether it is there
 * @returns `configured` when sshd runs our command as somebody
 */
export function judgeConfig(
  effective: ReadonlyMap<string, string>,
  dropIn: { readonly file: string; readonly present: boolean },
): { readonly findings: Finding[]; readonly configured: ConfiguredSshd | undefined } {
  const value = (keyword: string): string => effective.get(keyword) ?? 'none';
  const said = value('authorizedprincipalscommand');
  const command = ourCommand(said);
  const user = value('authorizedprincipalscommanduser');
  const findings = [
    command === undefined ? otherCommand(said, dropIn) : good(`sshd runs ${command.program.join(' ')}`),
    user === 'none'
      ? bad('sshd has no user to run it as', `${REINSTALL}, or AuthorizedPrincipalsCommandUser`)
      : good(`sshd runs it as ${user}`),
    value('trustedusercakeys') === 'none'
      ? bad('sshd trusts no authority for certificates of users', `${REINSTALL} --ca-keys FILE`)
      : good(`sshd trusts the authorities in ${value('trustedusercakeys')}`),
    ...(value('pubkeyauthentication') === 'no'
      ? [bad('sshd takes no keys at all', 'PubkeyAuthentication yes')]
      : []),
    ...(value('authorizedprincipalsfile') === 'none'
      ? []
      : [
          bad(
            `principals in ${value('authorizedprincipalsfile')} let people in without being asked about`,
            'AuthorizedPrincipalsFile none',
          ),
        ]),
  ];
  const configured = command === undefined || user === 'none' ? undefined : { command, user };
  return { findings, configured };
}

function otherCommand(said: string, { file, present }: { file: string; present: boolean }): Finding {
  if (!present) return bad(`sshd does not ask the agent: there is no ${file}`, REINSTALL);
  if (said !== 'none') {
    return bad(
      `sshd runs something else, ${said}: another file says so before ${file}`,
      `take that line away, or give ${file} a name that comes before`,
    );
  }
  return bad(
    `sshd does not read ${dirname(file)}`,
    `put "Include ${dirname(file)}/*.conf" at the top of sshd_config`,
  );
}
