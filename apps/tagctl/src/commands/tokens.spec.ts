import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JoinTokenSchema, Role } from '@tagplane/protocol';
import { parse as parseYaml } from 'yaml';
import { NOW, run } from '../testing/capture.ts';
import { FAKE_PIN, FAKE_TOKEN } from '../testing/fake-access.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

// Generous: sockets on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);
const INSTANCE = '123456789012/eu-central-1/i-0123456789abcdef0';

describe('tokens add', () => {
  it('asks for what was said', async () => {
    const limits = ['--ttl', '10m', '--uses', '3'];
    const add = await tagctl(
      'tokens',
      'add',
      '--role',
      'agent',
      '--name',
      'web-1',
      '--instance',
      INSTANCE,
      ...limits,
    );
    expect(add).toMatchObject({ code: 0, stderr: '' });
    expect(auth.access.addedTokens).toMatchObject([
      {
        role: Role.AGENT,
        name: 'web-1',
        awsInstance: { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef0' },
        ttl: { seconds: 600n },
        uses: 3,
      },
    ]);
    expect(auth.peers).toEqual(['operator/tester']);
  });

  it('leaves to the auth service what was not said', async () => {
    await tagctl('tokens', 'add', '--role', 'discovery');
    expect(auth.access.addedTokens).toMatchObject([{ role: Role.DISCOVERY, name: '', uses: 0 }]);
    expect(auth.access.addedTokens[0]?.ttl).toBeUndefined();
    expect(auth.access.addedTokens[0]?.awsInstance).toBeUndefined();
  });

  it('is one document', async () => {
    const { stdout } = await tagctl(
      'tokens',
      'add',
      '--role',
      'operator',
      '--name',
      'bob',
      '--format',
      'json',
    );
    expect(JSON.parse(stdout)).toStrictEqual({
      id: 'id1',
      token: FAKE_TOKEN,
      role: 'operator',
      name: 'bob',
      aws: null,
      uses_left: 1,
      expires_at: '2026-11-22T13:00:00.000Z',
      created_by: 'operator/tester',
      ca_pins: [FAKE_PIN],
    });
  });

  it.each([
    ['agent', { auth: { addresses: ['ADDRESS'] } }],
    ['discovery', { auth: { address: 'ADDRESS' } }],
  ])(
    'shows a person the token once, in what goes into the configuration of an %s',
    async (role, expected) => {
      const { stdout } = await tagctl('tokens', 'add', '--role', role);
      expect(stdout.split(FAKE_TOKEN)).toHaveLength(2);
      const snippet = stdout.slice(stdout.indexOf('\nauth:\n'));
      const text = JSON.stringify(parseYaml(snippet)).replace(served.address, 'ADDRESS');
      const joining = { token: FAKE_TOKEN, ca_pins: [FAKE_PIN] };
      expect(JSON.parse(text)).toEqual({ ...expected, join: joining });
    },
  );

  it.each([
    [[], ' --name NAME'],
    [['--name', 'bob'], ''],
  ])('shows a person how an operator logs in: %j', async (args, end) => {
    const { stdout } = await tagctl('tokens', 'add', '--role', 'operator', ...args);
    const login = `tagctl login --address ${served.address} --ca-pin ${FAKE_PIN} --token ${FAKE_TOKEN}${end}\n`;
    expect(stdout).toContain(login);
  });

  describe('--out', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tagctl-tokens-'));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    it.each(['table', 'json'])(
      'puts the token into a file for its owner, and only there: %s',
      async (format) => {
        const out = join(folder, 'web.token');
        await writeFile(out, 'the one before', { mode: 0o644 });
        const words = ['tokens', 'add', '--role', 'agent', '--out', out, '--format', format];
        const { code, stdout } = await tagctl(...words);
        expect(code).toBe(0);
        expect(await readFile(out, 'utf8')).toBe(`${FAKE_TOKEN}\n`);
        expect((await stat(out)).mode & 0o777).toBe(0o600);
        expect(stdout).not.toContain(FAKE_TOKEN);
        if (format === 'json') expect(JSON.parse(stdout)).toMatchObject({ token: null, token_file: out });
        else
          expect(parseYaml(stdout.slice(stdout.indexOf('\nauth:\n')))).toMatchObject({
            join: { token_file: out },
          });
      },
    );

    it('shows how an operator logs in by it', async () => {
      const out = join(folder, 'bob.token');
      const { stdout } = await tagctl('tokens', 'add', '--role', 'operator', '--name', 'bob', '--out', out);
      expect(stdout).toContain(` --ca-pin ${FAKE_PIN} --token-file ${out}\n`);
    });

    it('takes back a token that cannot be written', async () => {
      const out = join(folder, 'file', 'below');
      await writeFile(join(folder, 'file'), '');
      const { code, stderr } = await tagctl('tokens', 'add', '--role', 'agent', '--out', out);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`--out: ${out} cannot be written`)]);
      expect(auth.access.removedTokens).toEqual(['id1']);
    });
  });

  it.each([
    [['tokens', 'add'], /required option '--role <ROLE>' not specified/],
    [['tokens', 'add', '--role', 'auth'], /Allowed choices are agent, discovery, operator/],
    [['tokens', 'add', '--role', 'agent', '--uses', '0'], /whole number from 1 to 100000/],
    [['tokens', 'add', '--role', 'agent', '--ttl', 'soon'], /Expected a duration/],
    [['tokens', 'add', '--role', 'agent', '--name', 'a@b'], /Expected letters/],
    [['tokens', 'add', '--role', 'agent', '--instance', 'i-0123456789abcdef0'], /ACCOUNT\/REGION\/ID/],
    [['tokens', 'add', '--role', 'agent', '--instance', `${INSTANCE}/x`], /ACCOUNT\/REGION\/ID/],
  ])('%j exits 2', async (args, expected) => {
    const { code, stdout, stderr } = await tagctl(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(auth.access.addedTokens).toEqual([]);
  });
});

describe('tokens ls and rm', () => {
  beforeEach(() => {
    auth.access.tokens = [
      create(JoinTokenSchema, {
        id: 'id1',
        role: Role.AGENT,
        usesLeft: 2,
        expiresAt: timestampFromMs(NOW + 60_000),
        createdBy: 'operator/\u001b[2J',
      }),
    ];
  });

  it('lists them for people, without driving the terminal', async () => {
    const { code, stdout } = await tagctl('tokens', 'ls');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID .*\nid1 +agent +- +- +2 +in 1m +operator\/\\u001b\[2J\n$/);
  });

  it('lists them as one document, and says so when there are none', async () => {
    const { stdout } = await tagctl('tokens', 'ls', '--format', 'yaml');
    expect(parseYaml(stdout)).toMatchObject([
      { id: 'id1', role: 'agent', name: null, aws: null, uses_left: 2 },
    ]);
    auth.access.tokens = [];
    expect(await tagctl('tokens', 'ls')).toEqual({ code: 0, stdout: '', stderr: 'no tokens\n' });
  });

  it('removes, and exits 1 for one that is not there', async () => {
    expect(await tagctl('tokens', 'rm', 'id1')).toEqual({
      code: 0,
      stdout: 'token id1 removed\n',
      stderr: '',
    });
    expect(await tagctl('tokens', 'rm', 'id1', 'gone')).toEqual({
      code: 1,
      stdout: 'token id1 removed\n',
      stderr: "tagctl: no token 'gone'\n",
    });
    const json = await tagctl('tokens', 'rm', 'id1', 'gone', '--format', 'json');
    expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { removed: ['id1'], missing: ['gone'] }]);
  });
});
