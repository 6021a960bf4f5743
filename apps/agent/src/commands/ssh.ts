import type { Command, ProgramIo } from '@tagplane/runtime';
import { ConfigError } from '@tagplane/runtime';
import { caKeysProblem } from '../ssh/setup/check-files.ts';
import { checkSetup } from '../ssh/setup/check.ts';
import { findingLine } from '../ssh/setup/finding.ts';
import type { Installed, Place } from '../ssh/setup/install.ts';
import { install, uninstall } from '../ssh/setup/install.ts';
import { checkFlags, installOptions, uninstallOptions } from '../ssh/setup/options.ts';
import { reloadSshd } from '../ssh/setup/reload.ts';
import { socketProblem } from '../ssh/setup/safe-path.ts';
import { userId } from '../ssh/setup/user.ts';

const HELP = `tagplane-agent ssh principals --user %u --certificate %k [--socket PATH | --config FILE]
    For AuthorizedPrincipalsCommand in sshd_config: prints those principals of the certificate that are
    roles which let that user in on this node now, one a line; nothing on any doubt.
tagplane-agent ssh install [--ca-keys FILE] [--user NAME] [--socket PATH] [--program PATH] [--reload]
    Writes 50-tagplane.conf for sshd, and has sshd check it; when it fails all is as before.
    --ca-keys FILE   public keys of who issues certificates for users; otherwise that is said elsewhere
    --user NAME      whom sshd asks as (default nobody)
    --socket PATH    what is asked; otherwise ssh.socket of --config FILE, else its default
    --program PATH   what sshd runs, otherwise the program that runs now
    --reload         has the running sshd take it up; otherwise says how
tagplane-agent ssh uninstall [--reload]
    Takes that file away.
tagplane-agent ssh check [--login NAME] [--config FILE | --socket PATH]
    Looks at all that a login as NAME (default root) depends on, and says what to mend. --socket is the
    agent's own.

install, uninstall and check take --sshd PATH (default /usr/sbin/sshd), --sshd-config FILE (default
/etc/ssh/sshd_config) and --sshd-config-dir DIR (default sshd_config.d beside it).

Exit codes: 0, 1 when it was refused or something is wrong, 2 for a bad command line. Of principals: 0
whatever was decided, 1 when the agent gave no answer, 2 for a bad command line, 3 for a certificate that
cannot be read.
`;

type Part = (args: readonly string[], io: ProgramIo) => Promise<number>;

const PARTS: ReadonlyMap<string | undefined, Part> = new Map([
  ['install', runInstall],
  ['uninstall', runUninstall],
  ['check', runCheck],
]);

export const sshCommand: Command = {
  usage: 'ssh principals|install|uninstall|check',
  summary: 'let sshd ask this agent who may log in',
  async run([name, ...args], io) {
    if (name === undefined || name === '--help' || name === '-h' || args.includes('--help')) {
      io.stdout.write(HELP);
      return 0;
    }
    const part = PARTS.get(name);
    if (part === undefined) throw new ConfigError(`ssh: unknown command '${name}'`);
    return await part(args, io);
  },
};

async function runInstall(args: readonly string[], io: ProgramIo): Promise<number> {
  const { place, dropIn, reload } = await installOptions(args, io.env);
  const problem = dropIn.caKeys === undefined ? undefined : await caKeysProblem(dropIn.caKeys);
  if (problem !== undefined) throw new ConfigError(`ssh install: --ca-keys: ${problem}`);
  if ((await userId(dropIn.user, io.signal)) === undefined) {
    throw new ConfigError(`ssh install: --user: there is no user ${dropIn.user}`);
  }
  const unsafe = await socketProblem(dropIn.socket);
  if (unsafe !== undefined) throw new ConfigError(`ssh install: --socket: ${unsafe.text}: ${unsafe.fix}`);
  return await settle(await install(place, dropIn, io.signal), { place, reload }, io);
}

async function runUninstall(args: readonly string[], io: ProgramIo): Promise<number> {
  const options = uninstallOptions(args);
  return await settle(await uninstall(options.place, io.signal), options, io);
}

async function runCheck(args: readonly string[], io: ProgramIo): Promise<number> {
  const findings = await checkSetup(checkFlags(args, io.env), io.signal);
  io.stdout.write(findings.map(findingLine).join(''));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

/** Says what was done, and has sshd take it up, or says how. */
async function settle(
  installed: Installed,
  { place, reload }: { readonly place: Place; readonly reload: boolean },
  { stdout, stderr, signal }: ProgramIo,
): Promise<number> {
  if (installed.done === 'refused') {
    stderr.write(`tagplane-agent: nothing is changed: ${installed.problem}\n`);
    return 1;
  }
  stdout.write(`${place.file} is ${installed.done}\n`);
  if (!reload) {
    if (installed.done === 'written' || installed.done === 'removed') {
      stdout.write('sshd takes it up when it is told to: systemctl reload ssh (or the same with --reload)\n');
    }
    return 0;
  }
  const problem = await reloadSshd(place.sshd, signal);
  if (problem === undefined) stdout.write('sshd was told to take it up\n');
  else stderr.write(`tagplane-agent: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}
