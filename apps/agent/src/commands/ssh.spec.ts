import { writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from '@tagplane/runtime';
import type { FakeSshd } from '../ssh/testing/fake-sshd.ts';
import { fakeSshd } from '../ssh/testing/fake-sshd.ts';
import { sshCommand } from './ssh.ts';

let fake: FakeSshd;
let where: string[];

beforeEach(async () => {
  fake = await fakeSshd();
  const { program, config } = fake.place.sshd;
  where = ['--sshd', program, '--sshd-config', config];
  await writeFile(join(fake.folder, 'ca.pub'), 'ssh-ed25519 AAAAC3Nz ca\n');
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

async function run(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await sshCommand.run(args, {
    env: {},
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    signal: new AbortController().signal,
  });
  return { code, out: out.join(''), err: err.join('') };
}

const install = (...args: readonly string[]) =>
  run('install', ...where, '--program', '/usr/bin/tagplane-agent', '--user', userInfo().username, ...args);

describe('tagplane-agent ssh', () => {
  it('installs, says how to go on, and uninstalls', async () => {
    const installed = await install('--ca-keys', join(fake.folder, 'ca.pub'), '--socket', '/run/x.sock');
    expect(installed).toEqual({
      code: 0,
      out: expect.stringMatching(/50-tagplane\.conf is written\n.*systemctl reload ssh/),
      err: '',
    });
    const command = '/usr/bin/tagplane-agent ssh principals --user %u --certificate %k --socket /run/x.sock';
    expect((await fake.content())?.split('\n').slice(1)).toEqual([
      `TrustedUserCAKeys ${join(fake.folder, 'ca.pub')}`,
      `AuthorizedPrincipalsCommand ${command}`,
      `AuthorizedPrincipalsCommandUser ${userInfo().username}`,
      '',
    ]);
    expect(await run('uninstall', ...where)).toMatchObject({
      code: 0,
      out: expect.stringContaining('is removed'),
    });
    expect(await fake.content()).toBeUndefined();
    expect(await run('uninstall', ...where)).toMatchObject({
      code: 0,
      out: expect.stringContaining('is absent'),
    });
  });

  it('asks at the socket of a configuration', async () => {
    const file = join(fake.folder, 'agent.yaml');
    await writeFile(file, "auth: { addresses: ['127.0.0.1:1'] }\nssh: { socket: /run/configured.sock }\n");
    expect(await install('--config', file)).toMatchObject({ code: 0 });
    expect(await fake.content()).toContain('--socket /run/configured.sock\n');
  });

  it('says why nothing was changed', async () => {
    await fake.refusesTheFile();
    expect(await install()).toEqual({
      code: 1,
      out: '',
      err: 'tagplane-agent: nothing is changed: bad line\n',
    });
  });

  it('has a running sshd take it up when told to', async () => {
    const sshd = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)'], { stdio: 'ignore' });
    await once(sshd, 'spawn');
    const pidFile = join(fake.folder, 'sshd.pid');
    await fake.says(`pidfile ${pidFile}\n`);
    expect(await install('--reload')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no sshd is running'),
    });
    await writeFile(pidFile, `${sshd.pid ?? 0}\n`);
    const ended = once(sshd, 'exit');
    expect(await install('--reload')).toMatchObject({ code: 0, out: expect.stringContaining('was told') });
    expect(await ended).toEqual([null, 'SIGHUP']);
  });

  it('says what is wrong and what to do', async () => {
    await fake.says('pubkeyauthentication yes\n');
    expect(await run('check', ...where, '--socket', '/nonexistent/agent.sock')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^ok {4}sshd takes .*\nwrong sshd does not ask the agent.*\n {6}fix: /),
    });
  });

  it.each([[[]], [['--help']], [['install', '--help']]])('shows its help: %j', async (args) => {
    expect(await run(...args)).toMatchObject({ code: 0, out: expect.stringContaining('ssh uninstall') });
  });

  it.each([
    [['start'], "ssh: unknown command 'start'"],
    [['install', '--force'], "ssh install: Unknown option '--force'"],
    [['install', '--user', 'no-such-user'], 'ssh install: --user: there is no user no-such-user'],
    [['install', '--ca-keys', '/nonexistent/ca.pub'], '--ca-keys: there is no /nonexistent/ca.pub'],
    [['install', '--socket', '/run/a b'], 'cannot stand in sshd_config'],
    [['install', '--socket', '/tmp/x.sock'], '/tmp can be written by others'],
    [['install', '--program', '/opt/%h/agent'], 'cannot stand in sshd_config'],
    [['uninstall', 'now'], 'ssh uninstall: Unexpected argument'],
    [['check', '--login'], "ssh check: Option '--login <value>' argument missing"],
  ])('refuses %j', async (args, problem) => {
    const [name = '', ...rest] = args;
    const running = name === 'start' ? run(name) : run(name, ...where, ...rest);
    const error: unknown = await running.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ message: expect.stringContaining(problem) });
    expect(await fake.content()).toBeUndefined();
  });
});
