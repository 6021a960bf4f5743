import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ManagedProcess } from '@tagplane/harness';
import { freePort, startProcess, waitFor } from '@tagplane/harness';
import { mustRun, run } from '../pack/run.ts';
import { ANYWHERE } from './anywhere.ts';
import type { Identity } from './user-ca.ts';
import { makeKey } from './user-ca.ts';

export const SSHD = '/usr/sbin/sshd';
/** sshd does not run without it; a system makes it when it starts its own. */
const PRIVILEGE_SEPARATION_DIRECTORY = '/run/sshd';

/** A real sshd on a loopback port, with its own configuration, host key and folder for drop-ins. */
export interface Sshd extends AsyncDisposable {
  readonly configFile: string;
  readonly dropInFolder: string;
  /** Of the process that listens. */
  readonly pid: number;
  readonly output: readonly string[];
  /** A real client: whether it gets in as this user. Throws when it is neither let in nor refused. */
  login(user: string, identity: Identity): Promise<'allowed' | 'refused'>;
}

export async function startSshd(folder: string): Promise<Sshd> {
  await mkdir(PRIVILEGE_SEPARATION_DIRECTORY, { recursive: true, mode: 0o755 });
  const port = await freePort();
  const configFile = join(folder, 'sshd_config');
  const dropInFolder = join(folder, 'sshd_config.d');
  const hostKey = join(folder, 'host_key');
  const knownHosts = join(folder, 'known_hosts');
  await mkdir(dropInFolder);
  await makeKey(hostKey);
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${await readFile(`${hostKey}.pub`, 'utf8')}`);
  await writeFile(configFile, await configText({ folder, port, hostKey, dropInFolder }));
  await mustRun(SSHD, ['-t', '-f', configFile], ANYWHERE);
  const server = await startProcess({ name: 'sshd', command: SSHD, args: ['-D', '-e', '-f', configFile] });
  await waitFor('sshd listens', () => listens(server, port));
  return {
    configFile,
    dropInFolder,
    pid: server.pid,
    output: server.output,
    login: (user, identity) => login({ port, knownHosts, server }, user, identity),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function configText(options: {
  readonly folder: string;
  readonly port: number;
  readonly hostKey: string;
  readonly dropInFolder: string;
}): Promise<string> {
  const { folder, port, hostKey, dropInFolder } = options;
  return [
    `Include ${dropInFolder}/*.conf`,
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${hostKey}`,
    `PidFile ${join(folder, 'sshd.pid')}`,
    'LogLevel VERBOSE',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'AuthorizedKeysFile none',
    // Newer ones keep out for a while who is refused often, as the client of these tests is.
    ...((await knows('persourcepenalties', hostKey)) ? ['PerSourcePenalties no'] : []),
    '',
  ].join('\n');
}

async function knows(keyword: string, hostKey: string): Promise<boolean> {
  const defaults = await mustRun(SSHD, ['-T', '-f', '/dev/null', '-h', hostKey], ANYWHERE);
  return defaults.split('\n').some((line) => line.startsWith(`${keyword} `));
}

async function listens(server: ManagedProcess, port: number): Promise<boolean> {
  if (!server.running()) throw new Error(`sshd ended: ${server.output.join('\n')}`);
  return await new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

const SAID = 'this is the other side';

async function login(
  { port, knownHosts, server }: { port: number; knownHosts: string; server: ManagedProcess },
  user: string,
  { keyFile, certificateFile }: Identity,
): Promise<'allowed' | 'refused'> {
  const options = [
    ...['BatchMode=yes', 'IdentitiesOnly=yes', 'ConnectTimeout=60', 'ControlPath=none', 'LogLevel=INFO'],
    // No key of whoever runs the tests plays a part.
    'IdentityAgent=none',
    ...['StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHosts}`],
    ...(certificateFile === undefined ? [] : [`CertificateFile=${certificateFile}`]),
  ].flatMap((option) => ['-o', option]);
  const args = [
    '-F',
    'none',
    ...options,
    '-i',
    keyFile,
    '-p',
    String(port),
    `${user}@127.0.0.1`,
    `echo ${SAID}`,
  ];
  const { code, stdout, stderr } = await run('ssh', args, ANYWHERE);
  if (code === 0 && stdout.includes(SAID)) return 'allowed';
  if (code === 255 && stderr.includes('Permission denied (publickey)')) return 'refused';
  throw new Error(
    `ssh ended with ${String(code)}: ${stdout}${stderr}\nsshd: ${server.output.slice(-20).join('\n')}`,
  );
}
