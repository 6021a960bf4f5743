import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readCredentialFile } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import { run } from '../testing/capture.ts';
import type { TlsWorld } from '../testing/tls.ts';
import { createTlsWorld } from '../testing/tls.ts';

// Generous: handshakes on a busy machine.
jest.setTimeout(60_000);

let world: TlsWorld;

beforeEach(async () => {
  world = await createTlsWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

describe('login --identity', () => {
  it('stores credentials that work, and says who one is', async () => {
    const credentials = await world.operator();
    const source = await world.store(credentials, 'first.json');
    const { code, stdout, stderr } = await world.tagctl('login', '--identity', source);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^who +operator alice\nidentity +spiffe:\/\/test\/operator\/alice\nexpires +20.* \(in /,
    );
    expect(stdout).toContain(world.authority.pin);
    expect(await readCredentialFile(world.file)).toEqual(credentials);
    expect((await stat(world.file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(world.file))).toEqual(['credentials.json']);
    expect(world.auth.peers).toEqual(['operator/alice']);
    expect(await world.tagctl('status')).toMatchObject({ code: 0 });
  });

  it('remembers the address, and leaves all else in config.yaml as it is', async () => {
    const config = join(dirname(world.file), 'config.yaml');
    await mkdir(dirname(config), { recursive: true });
    await writeFile(config, '# mine\nname: alice # me\n', { mode: 0o640 });
    const source = await world.store(await world.operator(), 'first.json');
    const login = ['login', '--identity', source, '--address', world.served.address];
    expect(await world.tagctl(...login)).toMatchObject({ code: 0 });
    const text = `# mine\nname: alice # me\naddress: ${world.served.address}\n`;
    expect(await readFile(config, 'utf8')).toBe(text);
    expect((await stat(config)).mode & 0o777).toBe(0o640);
    const plain = { homeDir: world.home, env: { TAGPLANE_INSECURE: 'false' }, now: Date.now() };
    expect(await run(['status'], plain)).toMatchObject({ code: 0 });
  });

  it('stores nothing that the auth service does not take', async () => {
    const other = await TestAuthority.create();
    const source = await world.store(await other.credentials({ role: 'operator', name: 'eve' }), 'eve.json');
    const { code, stderr } = await world.tagctl('login', '--identity', source);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tagctl: 127\.0\.0\.1:\d+.*certificate/);
    expect(await readCredentialFile(world.file)).toBeUndefined();
  });

  it('warns of credentials that are no operator’s, and of settings that hide them', async () => {
    const source = await world.store(
      await world.authority.credentials({ role: 'discovery', name: 'eu' }),
      'eu.json',
    );
    const env = { TAGPLANE_ADDRESS: world.served.address, TAGPLANE_INSECURE: 'true' };
    const { code, stderr } = await run(['login', '--identity', source], {
      homeDir: world.home,
      env,
      now: Date.now(),
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^tagctl: warning: these are credentials of a discovery: .*\ntagctl: warning: insecure is set/,
    );
  });
});

describe('login --token', () => {
  it('joins, by the pin of the cluster', async () => {
    const args = ['login', '--token', 'good-token', '--ca-pin', world.authority.pin];
    const { code, stdout, stderr } = await world.tagctl(...args, '--format', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      identity: 'spiffe://test/operator/joined',
      role: 'operator',
      name: 'joined',
      cluster: 'test',
      file: world.file,
      ca_pins: [world.authority.pin],
    });
    expect(await world.tagctl('status', '--format', 'json')).toMatchObject({ code: 0 });
    expect(world.auth.peers).toEqual(['operator/joined']);
  });

  it('reads the token from a file or from standard input, and asks for a name', async () => {
    const file = join(world.home, 'token');
    await writeFile(file, 'good-token\n');
    const pin = ['--ca-pin', world.authority.pin];
    expect(await world.tagctl('login', '--token-file', file, '--name', 'bob', ...pin)).toMatchObject({
      code: 0,
    });
    expect(await readCredentialFile(world.file)).toMatchObject({ name: 'bob' });
    const env = { TAGPLANE_ADDRESS: world.served.address, TAGPLANE_INSECURE: 'false' };
    const options = { homeDir: world.home, env, now: Date.now(), stdin: 'good-token' };
    expect(await run(['login', '--token-file', '-', ...pin], options)).toMatchObject({ code: 0 });
    expect(await readCredentialFile(world.file)).toMatchObject({ name: 'joined' });
  });

  it('does not speak to another cluster', async () => {
    const other = await TestAuthority.create();
    const { code, stderr } = await world.tagctl('login', '--token', 'good-token', '--ca-pin', other.pin);
    expect(code).toBe(1);
    expect(stderr).toContain(`no authority of the service has the pin ${other.pin}`);
    expect(stderr).not.toContain('good-token');
    expect(await readCredentialFile(world.file)).toBeUndefined();
  });

  it('says why it is not let in, without the token', async () => {
    const args = ['login', '--token', 'bad-token', '--ca-pin', world.authority.pin];
    const { code, stderr } = await world.tagctl(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tagctl: denied: the token is not known \(.* with --name\)\n$/);
    expect(stderr).not.toContain('bad-token');
  });

  it.each([
    [[], /give one of --identity FILE, --token TOKEN or --token-file FILE/],
    [['--token', 'a', '--token-file', 'b'], /give one of --identity FILE/],
    [['--token', 'a'], /--ca-pin is needed with a token/],
    [['--token', 'a', '--ca-pin', 'sha256:12'], /Expected sha256: and 64/],
    [['--identity', '/nonexistent/a'], /there is no file \/nonexistent\/a/],
    [['--identity', 'a', '--name', 'b'], /go with a token/],
    [
      ['--token-file', '/nonexistent/a', '--ca-pin', `sha256:${'0'.repeat(64)}`],
      /cannot read \/nonexistent\/a/,
    ],
  ])('%j exits 2', async (args, expected) => {
    const { code, stdout, stderr } = await world.tagctl('login', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
  });
});

describe('whoami and logout', () => {
  it('asks nobody', async () => {
    await world.store(await world.operator());
    const { code, stdout } = await world.tagctl(
      'whoami',
      '--format',
      'json',
      '--address',
      'nowhere.invalid:1',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ mode: 'mutual', identity: 'spiffe://test/operator/alice' });
    expect(world.auth.peers).toEqual([]);
  });

  it('exits 1 for what has expired, and 2 for nothing', async () => {
    await world.store(await world.operator({ ageMs: 13 * 3_600_000 }));
    const { code, stdout } = await world.tagctl('whoami');
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nexpires .*\(expired\)\n/);
    expect(await world.tagctl('status')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/expired 1h(?:\d+s)? ago/),
    });
    expect(await world.tagctl('logout')).toEqual({ code: 0, stdout: `${world.file} removed\n`, stderr: '' });
    expect(await world.tagctl('logout')).toEqual({
      code: 0,
      stdout: `there is no ${world.file}\n`,
      stderr: '',
    });
    const without = await world.tagctl('whoami');
    expect(without).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^tagctl: no credentials in .*tagctl login/),
    });
  });

  it('without TLS is whoever it says', async () => {
    expect(await run(['whoami'])).toMatchObject({
      code: 0,
      stdout: 'who    operator tester\nproof  none: insecure, for loopback only\n',
    });
    const json = await run(['whoami', '--name', 'bob', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toEqual({ mode: 'insecure', role: 'operator', name: 'bob' });
  });
});
