import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import { parse as parseYaml } from 'yaml';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleChange } from '../testing/fake-explain.ts';
import { sampleServerInfo } from '../testing/samples.ts';

// Generous: sockets and processes on a busy machine.
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

const create = (stdin: string, ...args: string[]) =>
  run(['create', '-', ...args, '--address', served.address], { stdin });
const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

const ROLE = `
kind: role
metadata: {name: dev, description: For developers}
spec:
  max_label_age: 1h30m
  allow:
    - logins: [deploy, '{{traits.logins}}']
      node_labels: {aws/env: staging, "aws/Patch Group": [a, 'b*', ^c+$]}
  deny:
    - logins: ['*']
      node_labels: aws/pci=true
`;
const INFO = `
kind: server_info
metadata: {name: web-tier}
spec: {match: {selector: {aws/team: web}}, labels: {dynamic/tier: web}}
`;
const SECOND =
  '\nkind: role\nmetadata: {name: ops}\nspec: {allow: [{logins: [root], node_labels: {"*": "*"}}]}\n';

describe('create with roles', () => {
  it('writes them among ServerInfos, in the order of the file', async () => {
    expect(await create([ROLE, INFO, SECOND].join('---'))).toEqual({
      code: 0,
      stdout: 'role dev stored\nserver_info web-tier stored\nrole ops stored\n',
      stderr: '',
    });
    expect(auth.roles.puts.map(({ precondition }) => precondition)).toEqual([
      { case: 'createOnly', value: true },
      { case: 'createOnly', value: true },
    ]);
    expect(auth.roles.roles.get('dev')).toMatchObject({
      description: 'For developers',
      maxLabelAge: { seconds: 5_400n },
      allow: [
        {
          logins: ['deploy', '{{traits.logins}}'],
          nodeLabels: {
            terms: [
              { key: 'aws/env', values: ['staging'] },
              { key: 'aws/Patch Group', values: ['a', 'b*', '^c+$'] },
            ],
          },
        },
      ],
      deny: [{ logins: ['*'], nodeLabels: { terms: [{ key: 'aws/pci', values: ['true'] }] } }],
    });
    expect(auth.serverInfos.get('web-tier')?.match?.target).toMatchObject({
      case: 'selector',
      value: { terms: [{ key: 'aws/team', values: ['web'] }] },
    });
  });

  it('refuses a name that exists; --force replaces it', async () => {
    await create(ROLE);
    expect(await create(ROLE)).toMatchObject({
      code: 1,
      stderr: 'tagctl: role dev: it exists already; --force replaces it\n',
    });
    expect(await create(ROLE, '-f')).toMatchObject({ code: 0, stdout: 'role dev stored\n' });
    expect(auth.roles.puts.at(-1)?.precondition.case).toBeUndefined();
  });

  it('takes what roles get and roles ls print, and replaces exactly the revision that was printed', async () => {
    await create([ROLE, SECOND].join('---'));
    const { stdout: one } = await tagctl('roles', 'get', 'dev', '--format', 'yaml');
    expect(await create(one.replace('deploy', 'release'))).toMatchObject({ code: 0, stderr: '' });
    expect(auth.roles.puts.at(-1)?.precondition).toEqual({ case: 'expectedRevision', value: 1n });
    expect(auth.roles.roles.get('dev')?.allow[0]?.logins).toEqual(['release', '{{traits.logins}}']);
    const stale = await create(one);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toContain(
      'tagctl: role dev: role dev has revision 3 by operator/tester, yours is of revision 1; - there, + yours:\n',
    );
    expect(stale.stderr).toContain('tagctl: -         - release\n');
    expect(stale.stderr).toContain('tagctl: +         - deploy\n');
    const { stdout: all } = await tagctl('roles', 'ls', '--format', 'yaml');
    auth.roles.roles.clear();
    expect(await create(all, '--force')).toMatchObject({
      code: 0,
      stdout: 'role dev stored\nrole ops stored\n',
    });
    const again = await tagctl('roles', 'ls', '--format', 'json');
    const specs = (text: unknown) => (text as { spec: unknown }[]).map(({ spec }) => spec);
    expect(specs(JSON.parse(again.stdout))).toEqual(specs(parseYaml(all)));
  });

  it('says which ones the service refuses, and goes on', async () => {
    auth.roles.failures = [new ConnectError('1001 kB of roles', Code.InvalidArgument)];
    const { code, stdout } = await create([ROLE, SECOND].join('---'), '--format', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'role', name: 'dev', status: 'INVALID', reason: '1001 kB of roles' },
      { kind: 'role', name: 'ops', status: 'ACCEPTED', revision: 1 },
    ]);
  });

  it('says that the guard holds a ServerInfo, and how it goes on', async () => {
    auth.holdId = 'h1';
    expect(await create(INFO)).toEqual({
      code: 4,
      stdout: '',
      stderr:
        'tagctl: server_info web-tier: held: it would change too many nodes; to let it go on: tagctl guard release h1\n',
    });
  });
});

describe('a bad role', () => {
  const head = 'kind: role\nmetadata: {name: dev}';
  it.each([
    [`${head}\nspec: {alow: []}`, ['document 1: spec.alow: unknown key']],
    [`${head}\nspec: {allow: [{logins: [a]}]}`, ['document 1: spec.allow[0].node_labels: required']],
    [
      `${head}\nspec: {allow: [{logins: [a], node_labels: {aws/a: 5}}]}`,
      [
        'document 1: spec.allow[0].node_labels["aws/a"]: expected text or a list of texts, got the number 5; put it in quotes if it is text',
      ],
    ],
    [
      `${head}\nspec: {deny: [{logins: [a], node_labels: {aws/a: [b, true]}}]}`,
      [
        'document 1: spec.deny[0].node_labels["aws/a"][1]: expected text or a list of texts, got the boolean true; put it in quotes if it is text',
      ],
    ],
    [
      `${head}\nspec: {allow: [{logins: [a], node_labels: "aws/a=[b"}]}`,
      [
        'document 1: spec.allow[0].node_labels: a list of values ends with ], at character 9',
        '    aws/a=[b',
        '            ^',
      ],
    ],
    [
      `${head}\nspec: {allow: [{logins: [a], node_labels: {aws/a: '^\\d(b$'}}]}`,
      [
        /^document 1: spec\.allow\[0\]\.node_labels\["aws\/a"\]: .*, at character \d+$/,
        '    ^\\\\d(b$',
        /^ {4} *\^$/,
      ],
    ],
    [
      `${head}\nspec: {allow: [{logins: [], node_labels: {a: b}}]}`,
      ['document 1: allow rule 1: it has no logins'],
    ],
    [`kind: role\nmetadata: {name: 'a b'}\nspec: {}`, [/^document 1: role name "a b" is not letters/]],
    [`${head}\nspec: {max_label_age: 0s}`, ['document 1: spec.max_label_age: expected between 1s and 3650d']],
    [
      `${head}\nspec: {}\n---\n${head}\nspec: {}`,
      ['document 2: metadata.name: dev is the name of document 1 too'],
    ],
  ])('%j', async (text, expected) => {
    const { code, stderr } = await create(text);
    expect(code).toBe(2);
    const lines = stderr.trimEnd().split('\n');
    for (const line of expected) {
      if (typeof line !== 'string') expect(lines).toContainEqual(expect.stringMatching(withPrefix(line)));
      else if (line.startsWith(' ')) expect(lines).toContain(`tagctl: ${line}`);
      else expect(lines).toContain(`tagctl: standard input: ${line}`);
    }
    expect(auth.roles.puts).toHaveLength(0);
  });

  const withPrefix = (line: RegExp): RegExp =>
    new RegExp(`^tagctl: (?:standard input: )?(?:${line.source.replace(/^\^/, '')})`);

  it('may have the name of a ServerInfo', async () => {
    const info = 'kind: server_info\nmetadata: {name: dev}\nspec: {match: {server_id: a}, labels: {}}';
    expect(await create(`${head}\nspec: {}\n---\n${info}`)).toMatchObject({ code: 0 });
  });
});

describe('create --dry-run', () => {
  it('says what would become of each document and which nodes would change, and writes nothing', async () => {
    await create(ROLE);
    auth.serverInfos.set('old', sampleServerInfo('old'));
    auth.explain.changes = [
      sampleChange('web-1', { gained: { 'dynamic/tier': 'web' }, lost: { 'dynamic/x': '1' } }),
      sampleChange('web-2', { changed: { 'dynamic/tier': 'web' } }),
    ];
    auth.explain.nodes = 120;
    auth.explain.wouldHold = true;
    const old = INFO.replace('web-tier', 'old');
    expect(await create([ROLE, INFO, old].join('---'), '--dry-run')).toEqual({
      code: 0,
      stdout: `web-1 (host-web-1)  +dynamic/tier=web  -dynamic/x=1
web-2 (host-web-2)  ~dynamic/tier=web
2 of 120 nodes would change; the guard would hold it, until an operator releases it
role dev would be refused: it exists already, or has another revision; --force replaces it
server_info web-tier would be new
server_info old would be refused: it exists already, or has another revision; --force replaces it
what the roles would change: 'tagctl access diff -f FILE'
`,
      stderr: '',
    });
    expect(auth.explain.previews.map(({ serverInfos }) => serverInfos.map(({ name }) => name))).toEqual([
      ['web-tier'],
    ]);
    expect(auth.upserts).toHaveLength(0);
    expect(auth.roles.puts).toHaveLength(1);
    const forced = await create([ROLE, INFO, old].join('---'), '--dry-run', '--force', '--format', 'json');
    expect(JSON.parse(forced.stdout)).toEqual({
      changes: [
        {
          server_id: 'web-1',
          hostname: 'host-web-1',
          gained: { 'dynamic/tier': 'web' },
          lost: { 'dynamic/x': '1' },
          changed: {},
        },
        {
          server_id: 'web-2',
          hostname: 'host-web-2',
          gained: {},
          lost: {},
          changed: { 'dynamic/tier': 'web' },
        },
      ],
      totals: { nodes: 120, changed: 2, would_hold: true },
      documents: [
        { kind: 'role', name: 'dev', status: 'REPLACED' },
        { kind: 'server_info', name: 'web-tier', status: 'NEW' },
        { kind: 'server_info', name: 'old', status: 'REPLACED' },
      ],
    });
  });
});
