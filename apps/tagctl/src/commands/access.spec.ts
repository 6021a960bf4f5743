import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { NodeLabelSource } from '@tagplane/protocol';
import type { Node } from '@tagplane/protocol';
import { NOW, run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleNode, sampleRole } from '../testing/samples.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

function labelled(index: number, env: string, expiresAt = NOW + 3_600_000): Node {
  const node = sampleNode(index);
  node.labelSets = [
    {
      $typeName: 'tagplane.v1.NodeLabelSet',
      source: NodeLabelSource.DISCOVERED,
      labels: { 'aws/env': env },
      observedAt: timestampFromMs(NOW - 60_000),
      expiresAt: timestampFromMs(expiresAt),
    },
  ];
  return node;
}

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
  auth.roles.store(sampleRole('dev', 'deploy', 'aws/env=staging'));
  auth.roles.store(sampleRole('own', '{{traits.logins}}', '*=*'));
  auth.nodes = [labelled(1, 'staging'), labelled(2, 'prod'), labelled(3, 'staging', NOW - 1_000)];
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const access = (args: readonly string[], stdin = '') =>
  run(['access', ...args, '--address', served.address], { stdin });

describe('access check', () => {
  const check = (...args: string[]) => access(['check', '--login', 'deploy', ...args]);

  it('allows with the reason, and exit 0', async () => {
    const { code, stdout } = await check('--roles', 'dev', '--node', 'server-00001');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /role dev, allow rule 1 allows: aws\/env is "staging" .*discovered, observed 1m ago/,
    );
  });

  it.each([
    ['another value', 'dev', 'server-00002', /aws\/env is "prod"/],
    ['a label that has run out', 'dev', 'server-00003', /aws\/env is unknown: stale/],
    ['a role that there is not', 'none', 'server-00001', /role none: there is none of this name/],
    ['no trait for the login', 'own', 'server-00001', /role own: no allow rule is for this login/],
  ])('denies for %s, with exit 3', async (_what, roles, node, reason) => {
    const { code, stdout } = await check('--roles', roles, '--node', node);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^denied: /);
    expect(stdout).toMatch(reason);
  });

  it('takes traits, and prints the document that the node prints', async () => {
    const args = ['--trait', 'logins=root', '--trait', 'logins=deploy', '--format', 'json'];
    const { code, stdout } = await check('--roles', 'none,own', '--node', 'i-00000000000000002', ...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ allowed: true, granted_by: ['own'], reason: 'granted' });
  });

  it('says that there is no such node, and takes no bad command line', async () => {
    expect(await check('--roles', 'dev', '--node', 'nope')).toMatchObject({
      code: 1,
      stderr: "tagctl: no node 'nope'; 'tagctl nodes ls' lists them, 'tagctl explain' says more\n",
    });
    expect(await check('--roles', 'dev,,', '--node', 'a')).toMatchObject({ code: 2 });
    expect(await check('--roles', 'dev', '--node', 'a', '--trait', 'x')).toMatchObject({ code: 2 });
  });
});

describe('access diff', () => {
  const ROLE = (env: string): string =>
    `kind: role\nmetadata: {name: dev}\nspec: {allow: [{logins: [deploy], node_labels: {aws/env: ${env}}}]}\n`;

  it('says who gains and loses what on which nodes, page by page, and the totals', async () => {
    auth.largestPage = 1;
    const { code, stdout } = await access(['diff', '-f', '-'], ROLE('prod'));
    expect(code).toBe(0);
    expect(stdout).toBe(
      'server-00001  -allow  dev  deploy\nserver-00002  +allow  dev  deploy\n2 of 3 nodes would change: 1 gained, 1 lost\n',
    );
    expect(auth.roles.puts).toHaveLength(0);
  });

  it('is one document, also of nothing', async () => {
    const same = await access(['diff', '-f', '-', '--format', 'json'], ROLE('staging'));
    const totals = { nodes: 3, nodes_changed: 0, gained: 0, lost: 0 };
    expect(JSON.parse(same.stdout)).toEqual({ changes: [], totals });
    const removed = await access(['diff', '--remove', 'dev,own', '--format', 'json']);
    const { changes } = JSON.parse(removed.stdout) as { changes: { role: string }[] };
    expect(changes.map(({ role }) => role)).toEqual(['dev', 'own', 'own', 'own']);
    expect(changes[0]).toEqual({
      server_id: 'server-00001',
      role: 'dev',
      login: 'deploy',
      effect: 'allow',
      change: 'lost',
    });
  });

  it('says that a deny takes away', async () => {
    const deny = `kind: role\nmetadata: {name: no}\nspec: {deny: [{logins: ['*'], node_labels: {aws/env: prod}}]}\n`;
    const { stdout } = await access(['diff', '-f', '-'], deny);
    // A deny stands where the label says nothing, too.
    expect(stdout).toBe(
      'server-00002  +deny  no  *\nserver-00003  +deny  no  *\n2 of 3 nodes would change: 2 gained, 0 lost\n',
    );
  });

  it.each([
    [['diff'], '', 'give --file, --remove or both', 2],
    [['diff', '--remove', 'none'], '', "no role 'none'", 1],
    [
      ['diff', '-f', '-'],
      'kind: role\nmetadata: {name: a}\nspec: {x: 1}',
      'document 1: spec.x: unknown key',
      2,
    ],
    [['diff', '-f', '-', '--remove', 'dev'], ROLE('a'), '--remove: dev is in - too', 2],
    [
      ['diff', '-f', '-'],
      'kind: server_info\nmetadata: {name: a}\nspec: {match: {server_id: a}, labels: {}}',
      'no document of kind role',
      2,
    ],
  ])('refuses %j', async (args, stdin, problem, exit) => {
    const { code, stderr } = await access(args, stdin);
    expect(stderr).toContain(problem);
    expect(code).toBe(exit);
  });
});
