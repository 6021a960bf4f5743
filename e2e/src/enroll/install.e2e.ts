import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { InstanceView } from '@tagplane/ec2-simulator';
import { addToken, freePort, waitFor } from '@tagplane/harness';
import { parseInstanceKey } from '@tagplane/identity';
import { listen } from '@tagplane/runtime';
import type { Ended } from '../pack/run.ts';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';
import type { Release } from './release.ts';
import { INSTALLER, makeRelease, remakeAs, tamperWith } from './release.ts';
import type { RootFs } from './root-fs.ts';
import { createRootFs } from './root-fs.ts';

const REGION = 'eu-central-1';
/** Not the one of the checkout, which is in the path. */
const PROGRAM = '/usr/local/bin/tagplane-agent';
const STEP_MS = 240_000;
const PIN = `sha256:${'5'.repeat(64)}`;
const FILES = [
  '/etc/tagplane',
  '/usr/local/lib/tagplane-agent',
  '/usr/local/bin',
  '/etc/systemd/system',
  '/var/lib/tagplane-agent',
];

let owned: AsyncDisposableStack;
let folder: string;
let release: Release;

beforeAll(async () => {
  owned = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'tagplane-install-'));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  release = await makeRelease(folder);
}, STEP_MS);

afterAll(async () => {
  await owned.disposeAsync();
}, STEP_MS);

/** A root file system that has the installer and a release. */
async function prepared(files: readonly Release[] = [release]): Promise<RootFs> {
  const root = await createRootFs();
  await root.bring(INSTALLER, '/tmp/install.sh');
  for (const [index, { tarball }] of files.entries()) await root.bring(tarball, `/tmp/${index}.tar.gz`);
  await root.bring(await tokenFile('not-a-real-token'), '/tmp/token');
  return root;
}

async function tokenFile(text: string): Promise<string> {
  const file = join(folder, 'token');
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

function install(root: RootFs, { sha256 }: Release, more: Record<string, string> = {}): Promise<Ended> {
  const options = {
    '--tarball': '/tmp/0.tar.gz',
    '--sha256': sha256,
    '--auth': 'auth.test:7420',
    '--ca-pin': PIN,
    '--token-file': '/tmp/token',
    ...more,
  };
  return root.run('sh', '/tmp/install.sh', ...Object.entries(options).flat());
}

/** Everything that an installation may touch, with owners, modes, links and contents. */
async function contents(root: RootFs): Promise<string> {
  const script = `for each in "$@"; do [ -e "$each" ] || continue; find "$each" -printf '%p %M %U:%G %l %T@\\n'; done | sort;
    find /etc/tagplane /etc/systemd/system -type f -exec sha256sum {} + 2>/dev/null | sort; cat /etc/passwd`;
  return (await root.run('sh', '-c', script, 'sh', ...FILES)).stdout;
}

describe('install.sh', () => {
  it(
    'installs, changes nothing the second time, upgrades, goes back, and leaves nothing behind',
    async () => {
      const newer = await remakeAs('9.9.9', release, folder);
      await using root = await prepared([release, newer]);
      const before = await contents(root);

      const first = await install(root, release);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toContain('0.1.0 is installed (version 0.1.0, link, user');
      expect((await root.run(PROGRAM, '--version')).stdout).toBe('tagplane-agent 0.1.0\n');
      expect(await root.read('/etc/tagplane/agent-token')).toBe('not-a-real-token\n');
      const modes = await root.run(
        'stat',
        '-c',
        '%a %U %n',
        '/etc/tagplane/agent-token',
        '/var/lib/tagplane-agent',
      );
      expect(modes.stdout).toBe(
        '600 tagplane-agent /etc/tagplane/agent-token\n700 tagplane-agent /var/lib/tagplane-agent\n',
      );
      const check = await root.run(PROGRAM, 'config', 'check', '--config', '/etc/tagplane/agent.yaml');
      expect(check.stdout).toContain('the configuration is good');
      expect(await root.has('/etc/systemd/system/multi-user.target.wants/tagplane-agent.service')).toBe(true);

      const installed = await contents(root);
      const second = await install(root, release);
      expect(second.stdout).toBe('tagplane-agent: 0.1.0 is installed already: nothing was changed\n');
      expect(await contents(root)).toBe(installed);

      const upgrade = await install(root, newer, { '--tarball': '/tmp/1.tar.gz' });
      expect(upgrade.stdout).toBe('tagplane-agent: 9.9.9 is installed (version 9.9.9 (before: 0.1.0))\n');
      expect((await root.run(PROGRAM, '--version')).stdout).toBe('tagplane-agent 9.9.9\n');
      expect((await root.run('sh', '/tmp/install.sh', '--rollback')).stdout).toContain('went back to 0.1.0');
      expect((await root.run(PROGRAM, '--version')).stdout).toBe('tagplane-agent 0.1.0\n');

      await root.run('sh', '/tmp/install.sh', '--uninstall');
      expect(await root.has('/usr/local/bin/tagplane-agent')).toBe(false);
      expect(await root.has('/etc/systemd/system/tagplane-agent.service')).toBe(false);
      expect(await root.has('/etc/tagplane/agent-token')).toBe(true);
      await root.run('sh', '/tmp/install.sh', '--uninstall', '--purge');
      const names = (text: string) => text.replace(/ \d+\.\d+$/gm, '');
      expect(names(await contents(root))).toBe(names(before));
    },
    STEP_MS,
  );

  it(
    'refuses what is not what it should be, and then nothing has changed',
    async () => {
      const tampered = await tamperWith(release, folder);
      await using root = await prepared([release, tampered]);
      const before = await contents(root);
      const refused = await install(root, tampered, { '--tarball': '/tmp/1.tar.gz' });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('is not what it should be');
      expect(await contents(root)).toBe(before);

      await install(root, release);
      const installed = await contents(root);
      const other = { ...tampered, sha256: 'a'.repeat(64) };
      expect((await install(root, other, { '--tarball': '/tmp/1.tar.gz' })).code).toBe(1);
      expect(await contents(root)).toBe(installed);
    },
    STEP_MS,
  );

  it.each([
    ['no hash', { '--sha256': '' }, 'a release is not installed unverified'],
    ['a hash of another kind', { '--sha256': 'd41d8cd98f00b204e9800998ecf8427e' }, '64 hexadecimal digits'],
    ['YAML in an address', { '--auth': "a:1', x: ['b:2" }, '--auth: not understood'],
    ['no pin', { '--ca-pin': 'sha256:12' }, '--ca-pin: not understood'],
    ['an unknown way to join', { '--join': 'luck' }, '--join is token, iam or ec2'],
    ['a token for another way to join', { '--join': 'iam' }, 'with --join token only'],
    ['an unknown option', { '--surprise': 'yes' }, 'unknown option: --surprise'],
  ])(
    'refuses %s with exit code 2',
    async (_what, options, message) => {
      await using root = await prepared([]);
      const before = await contents(root);
      const refused = await install(root, release, options);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
      expect(await contents(root)).toBe(before);
    },
    STEP_MS,
  );

  it(
    'keeps a configuration that is somebody’s own',
    async () => {
      await using root = await prepared();
      const own = join(folder, 'own.yaml');
      await writeFile(own, "auth: {addresses: ['mine:7420']}\n");
      await root.bring(own, '/etc/tagplane/agent.yaml');
      const ended = await install(root, release);
      expect(ended.stdout).toContain('left as it is');
      expect(await root.read('/etc/tagplane/agent.yaml')).toBe("auth: {addresses: ['mine:7420']}\n");
    },
    STEP_MS,
  );

  it(
    'installs into another root file system from outside',
    async () => {
      await using root = await prepared();
      const args = [
        '--root',
        root.path,
        '--tarball',
        `${root.path}/tmp/0.tar.gz`,
        '--sha256',
        release.sha256,
      ];
      const join = ['--auth', 'auth.test:7420', '--ca-pin', PIN, '--join', 'iam'];
      const ended = await root.outside('sh', `${root.path}/tmp/install.sh`, ...args, ...join);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect((await root.run(PROGRAM, '--version')).stdout).toBe('tagplane-agent 0.1.0\n');
      expect((await root.run('readlink', '/usr/local/lib/tagplane-agent/current')).stdout).toMatch(
        /^0\.1\.0-\w+\n$/,
      );
      expect(await root.read('/etc/tagplane/agent.yaml')).toContain('method: iam');
    },
    STEP_MS,
  );

  it(
    'ships a unit that systemd takes, and calls well sandboxed',
    async () => {
      await using root = await prepared();
      await install(root, release);
      const unit = '/etc/systemd/system/tagplane-agent.service';
      const verified = await root.run('systemd-analyze', 'verify', unit);
      expect([verified.code, verified.stdout]).toEqual([0, '']);
      const security = await root.run(
        'systemd-analyze',
        'security',
        '--offline=true',
        '--threshold=25',
        unit,
      );
      expect(security.code).toBe(0);
    },
    STEP_MS,
  );
});

describe('the agent that it installs', () => {
  let world: World;
  let instance: InstanceView;

  beforeAll(async () => {
    const simulator = owned.use(await createEc2Simulator({ instances: 3, regions: [REGION] }).listen());
    const [first] = simulator.fleet.list({ region: REGION });
    if (first === undefined) throw new Error('there is no instance');
    instance = first;
    world = owned.use(
      await createWorld({
        ...{ redisUrl: undefined, auths: 1, ec2Url: simulator.url, regions: [REGION] },
        ...{ pollInterval: '1s', places: [] },
      }),
    );
    await world.start();
  }, STEP_MS);

  it(
    'comes over HTTP, joins as its instance by the token, gets its labels, and keeps its identity',
    async () => {
      using shelf = await serve(release.tarball);
      await using root = await prepared([]);
      const key = parseInstanceKey({ account: instance.account, region: REGION, instance: instance.id });
      if (key === undefined) throw new Error('the simulator made up no instance id');
      using operator = world.operator(0);
      const { token } = await addToken(operator, { role: 'agent', instance: key });
      await root.bring(await tokenFile(token), '/tmp/token');
      const options = {
        '--tarball': shelf.url,
        '--auth': `127.0.0.1:${world.authPorts[0] ?? 0}`,
        '--ca-pin': world.caPin,
      };
      const ended = await install(root, release, options);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(ended.stdout).not.toContain(token);

      const env = {
        AWS_EC2_METADATA_DISABLED: 'true',
        TAGPLANE_DIAGNOSTICS: `127.0.0.1:${await freePort()}`,
      };
      const unit = await root.read('/etc/systemd/system/tagplane-agent.service');
      const command = (/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '').split(' ');
      await using agent = await root.start('tagplane-agent:tagplane-agent', env, command);
      const labels = await waitFor(
        'the installed agent has the labels of its instance',
        async () => {
          if (!agent.running()) throw new Error(agent.output.join('\n'));
          const { stdout, stderr } = await root.run(
            PROGRAM,
            'labels',
            '--format',
            'json',
            '--socket',
            '/var/lib/tagplane-agent/agent.sock',
          );
          if (!stdout.includes('aws/')) throw new Error(stdout + stderr + agent.output.slice(-3).join('\n'));
          return stdout;
        },
        { timeoutMs: STEP_MS, everyMs: 1_000 },
      );
      for (const [name, value] of instance.tags) {
        expect([
          name,
          labels.includes(JSON.stringify(`aws/${name}`)),
          labels.includes(JSON.stringify(value)),
        ]).toEqual([name, true, true]);
      }

      await root.bring(await tokenFile('another-token'), '/tmp/token');
      const again = await install(root, release, options);
      expect(again.stdout).toContain('nothing was changed');
      expect(await root.read('/etc/tagplane/agent-token')).toBe(`${token}\n`);
    },
    2 * STEP_MS,
  );
});

/** The release on a shelf that everybody on this machine can reach. */
async function serve(file: string): Promise<Disposable & { readonly url: string }> {
  const bytes = await readFile(file);
  const server = createServer((_request, response) => response.end(bytes));
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}/tagplane-agent-{arch}.tar.gz`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
