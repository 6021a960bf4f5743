import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FakeSshd } from '../testing/fake-sshd.ts';
import { fakeSshd } from '../testing/fake-sshd.ts';
import { okAnswer, startFakeSocket } from '../testing/fake-socket.ts';
import { judgeConfig } from './check-config.ts';
import { caKeysProblem, checkProgram } from './check-files.ts';
import { checkSetup } from './check.ts';
import { findingLine } from './finding.ts';
import { probe } from './probe.ts';
import { pathProblem, socketProblem } from './safe-path.ts';

const never = new AbortController().signal;
const COMMAND = '/bin/tagplane-agent ssh principals --user %u --certificate %k --socket /run/a.sock';
const GOOD = {
  authorizedprincipalscommand: COMMAND,
  authorizedprincipalscommanduser: 'nobody',
  trustedusercakeys: '/etc/ssh/ca.pub',
  authorizedprincipalsfile: 'none',
  pubkeyauthentication: 'yes',
};
let fake: FakeSshd;

beforeEach(async () => {
  fake = await fakeSshd();
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

describe('judgeConfig', () => {
  const judge = (changes: Partial<Record<keyof typeof GOOD, string>>, present = true) =>
    judgeConfig(new Map(Object.entries({ ...GOOD, ...changes })), {
      file: '/etc/d/50-tagplane.conf',
      present,
    });

  it('finds nothing wrong where all is said', () => {
    const { findings, configured } = judge({});
    expect(findings.every(({ ok }) => ok)).toBe(true);
    expect(configured).toEqual({
      command: { program: ['/bin/tagplane-agent'], socket: '/run/a.sock' },
      user: 'nobody',
    });
  });

  it.each([
    ['no file', { authorizedprincipalscommand: 'none' }, false, 'there is no /etc/d/50-tagplane.conf'],
    ['a folder that is not read', { authorizedprincipalscommand: 'none' }, true, 'sshd does not read /etc/d'],
    ['another before it', { authorizedprincipalscommand: '/bin/x' }, true, 'runs something else, /bin/x'],
    ['nobody to run it', { authorizedprincipalscommanduser: 'none' }, true, 'no user to run it as'],
    ['no authority', { trustedusercakeys: 'none' }, true, 'trusts no authority'],
    ['no keys', { pubkeyauthentication: 'no' }, true, 'takes no keys at all'],
    ['principals in files', { authorizedprincipalsfile: '/etc/p/%u' }, true, 'without being asked about'],
  ])('finds %s', (_, changes, present, text) => {
    const wrong = judge(changes, present).findings.filter(({ ok }) => !ok);
    expect(wrong).toEqual([{ ok: false, text: expect.stringContaining(text), fix: expect.any(String) }]);
  });

  it('has nothing to try where sshd does not run it', () => {
    expect(judge({ authorizedprincipalscommand: 'none' }).configured).toBeUndefined();
    expect(judge({ authorizedprincipalscommanduser: 'none' }).configured).toBeUndefined();
  });
});

describe('pathProblem', () => {
  it('finds what others can write, on the whole way', async () => {
    expect(await pathProblem('/')).toBeUndefined();
    const file = join(fake.folder, 'program');
    await writeFile(file, '');
    // The folder for temporary files is everybody's to write.
    expect(await pathProblem(file)).toMatchObject({
      text: expect.stringMatching(/written by others|owned by/),
    });
    await chmod(file, 0o777);
    expect(await pathProblem(file)).toEqual(
      process.getuid?.() === 0
        ? { text: `${file} can be written by others`, fix: `chmod go-w ${file}` }
        : expect.objectContaining({ fix: `chown root ${file}` }),
    );
    expect(await pathProblem('/nonexistent/x')).toMatchObject({ text: expect.stringContaining('ENOENT') });
  });

  (process.getuid?.() === 0 ? it : it.skip)("finds what is somebody else's", async () => {
    const file = join(fake.folder, 'program');
    await writeFile(file, '');
    await chown(file, 65_534, 65_534);
    expect(await pathProblem(file)).toEqual({
      text: `${file} is owned by user 65534`,
      fix: `chown root ${file}`,
    });
    expect(await checkProgram(['node', file])).toMatchObject([{ ok: false, fix: `chown root ${file}` }]);
  });
});

describe('socketProblem', () => {
  it('finds where others could answer', async () => {
    expect(await socketProblem('/nonexistent/run/ssh.sock')).toBeUndefined();
    expect(await socketProblem('/etc/ssh.sock')).toBeUndefined();
    await chmod(fake.folder, 0o777);
    const problem = await socketProblem(join(fake.folder, 'no-such-folder', 'ssh.sock'));
    expect(problem).toEqual({
      text: `${fake.folder} can be written by others, who could answer there`,
      fix: `chmod go-w ${fake.folder}`,
    });
  });
});

describe('caKeysProblem', () => {
  it.each([
    ['ssh-ed25519 AAAAC3Nz ca\n', true],
    ['# ours\n\necdsa-sha2-nistp256 AAAAE2Vj\n', true],
    ['cert-authority sk-ssh-ed25519@openssh.com AAAAGnNr\n', true],
    ['', false],
    ['# ssh-ed25519 AAAAC3Nz\n', false],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\n', false],
  ])('of %j', async (text, good) => {
    const file = join(fake.folder, 'ca.pub');
    await writeFile(file, text);
    expect((await caKeysProblem(file)) === undefined).toBe(good);
  });

  it('of what is not there, or no file', async () => {
    expect(await caKeysProblem('/nonexistent/ca.pub')).toBe('there is no /nonexistent/ca.pub');
    expect(await caKeysProblem(fake.folder)).toBeDefined();
  });
});

describe('probe', () => {
  const user = userInfo().username;
  const main = new URL('../../main.ts', import.meta.url).pathname;
  const configured = (socket: string, program = [process.execPath, main]) => ({
    command: { program, socket },
    user,
  });

  it('runs what sshd runs, to the agent and back', async () => {
    await using socket = await startFakeSocket(okAnswer({ allowed: false, granted_by: [] }));
    expect(await probe(configured(socket.path), 'root', never)).toEqual({
      ok: true,
      text: `the agent answers ${user}`,
    });
    expect(socket.asked.join()).toContain('"key_id":"tagplane-agent ssh check"');
  });

  it('says why there is no answer', async () => {
    expect(await probe(configured('/nonexistent/a.sock'), 'root', never)).toEqual({
      ok: false,
      text: expect.stringMatching(/does not answer .*ENOENT/),
      fix: expect.stringContaining('start the agent'),
    });
    expect(await probe(configured('/x', ['/nonexistent/agent']), 'root', never)).toMatchObject({ ok: false });
    const nobody = { ...configured('/x'), user: 'no-such-user' };
    expect(await probe(nobody, 'root', never)).toMatchObject({ ok: false });
  });
});

describe('checkSetup', () => {
  const effective = (command: string): string =>
    Object.entries({ ...GOOD, authorizedprincipalscommand: command })
      .map(([keyword, value]) => `${keyword} ${value}\n`)
      .join('');

  it('says at once when sshd refuses its configuration', async () => {
    await fake.says('', 'line 3: bad');
    const options = { place: fake.place, login: 'root', agentSocket: '/nonexistent/a.sock' };
    const findings = await checkSetup(options, never);
    expect(findings.map(findingLine).join('')).toMatch(/^wrong sshd refuses .*line 3: bad\n {6}fix: mend /);
    expect(findings).toContainEqual(
      expect.objectContaining({ text: expect.stringContaining('no agent is running') }),
    );
  });

  it('goes through all of it', async () => {
    await mkdir(join(fake.folder, 'x'), { recursive: true });
    await fake.says(effective(COMMAND));
    const options = { place: fake.place, login: 'root', agentSocket: '/nonexistent/a.sock' };
    const texts = (await checkSetup(options, never)).map(({ text }) => text);
    expect(texts).toEqual([
      expect.stringContaining('sshd takes'),
      'sshd runs /bin/tagplane-agent',
      'sshd runs it as nobody',
      'sshd trusts the authorities in /etc/ssh/ca.pub',
      'there is no /etc/ssh/ca.pub',
      expect.stringContaining('sshd must not run /bin/tagplane-agent'),
      expect.stringContaining('the agent does not answer nobody'),
      expect.stringContaining('no agent is running'),
    ]);
  });
});
