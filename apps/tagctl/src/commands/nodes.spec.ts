import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { NASTY_LABELS, sampleNode } from '../testing/samples.ts';

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

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

describe('nodes ls', () => {
  it('prints the fields that others script against, as JSON and as YAML', async () => {
    auth.nodes = [sampleNode(1, [['aws/Name', 'web']])];
    const expected = [
      {
        server_id: 'server-00001',
        hostname: 'ip-10-0-0-1.eu-central-1.compute.internal',
        connected: true,
        aws: { account_id: '123456789012', region: 'eu-central-1', instance_id: 'i-00000000000000001' },
        labels: { 'aws/Name': 'web' },
        sync: {
          state: 'SYNCED',
          revision: 'b1946ac92492d2347c6235b4d2611184',
          acked_revision: 'b1946ac92492d2347c6235b4d2611184',
        },
        auth_id: 'auth-1',
        agent_version: '0.1.0',
        last_seen: '2026-11-22T11:59:48.000Z',
      },
    ];
    const json = await tagctl('nodes', 'ls', '--format', 'json');
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toStrictEqual(expected);
    const yaml = await tagctl('nodes', 'ls', '--format=yaml');
    expect(parseYaml(yaml.stdout)).toStrictEqual(expected);
  });

  it('keeps any label key and value exactly', async () => {
    auth.nodes = [sampleNode(1, NASTY_LABELS)];
    const sorted = NASTY_LABELS.map((pair) => [...pair]).sort();
    const json = await tagctl('nodes', 'ls', '--format', 'json');
    const [fromJson] = JSON.parse(json.stdout) as [{ labels: Record<string, string> }];
    expect(Object.entries(fromJson.labels).sort()).toStrictEqual(sorted);
    const yaml = await tagctl('nodes', 'ls', '--format', 'yaml');
    const [fromYaml] = parseYaml(yaml.stdout, { mapAsMap: true }) as [Map<string, Map<string, string>>];
    expect([...(fromYaml.get('labels') ?? [])].sort()).toStrictEqual(sorted);
  });

  it.each(['table', 'json', 'yaml'])('lets no label drive the terminal: %s', async (format) => {
    auth.nodes = [sampleNode(1, NASTY_LABELS)];
    const { stdout } = await tagctl('nodes', 'ls', '--format', format);
    expect(stdout).toContain('esc');
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/);
  });

  it.each([500, 60])('reads all pages of 2,500 nodes, %s at a time, as one document', async (largestPage) => {
    auth.nodes = Array.from({ length: 2_500 }, (_, index) => sampleNode(index));
    auth.largestPage = largestPage;
    const ids = auth.nodes.map((node) => node.serverId);
    const json = await tagctl('nodes', 'ls', '--format', 'json');
    expect((JSON.parse(json.stdout) as { server_id: string }[]).map((node) => node.server_id)).toEqual(ids);
    expect(auth.listRequests).toHaveLength(Math.ceil(2_500 / largestPage));
    expect(auth.listRequests.every((request) => request.pageSize === 500)).toBe(true);
    const table = await tagctl('nodes', 'ls');
    expect(table.stdout.split('\n')).toHaveLength(2_502);
  });

  it('stops at the limit, and asks for no more than that', async () => {
    auth.nodes = Array.from({ length: 2_500 }, (_, index) => sampleNode(index));
    const { stdout } = await tagctl('nodes', 'ls', '--limit', '510', '--format', 'yaml');
    expect(parseYaml(stdout)).toHaveLength(510);
    expect(auth.listRequests.map((request) => request.pageSize)).toEqual([500, 10]);
  });

  it('asks for smaller pages where one would be too large for a message', async () => {
    const labels = Array.from({ length: 50 }, (_, index) => [`aws/${index}`, 'é'.repeat(256)] as const);
    auth.nodes = Array.from({ length: 300 }, (_, index) => sampleNode(index, labels));
    const { code, stdout } = await tagctl('nodes', 'ls', '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(300);
    expect(auth.listRequests.map((request) => request.pageSize).slice(0, 2)).toEqual([500, 125]);
  });

  it('prints an empty list as an empty document, and says so to people', async () => {
    expect((await tagctl('nodes', 'ls', '--format', 'json')).stdout).toBe('[]\n');
    expect((await tagctl('nodes', 'ls', '--format', 'yaml')).stdout).toBe('[]\n');
    expect(await tagctl('nodes', 'ls')).toEqual({ code: 0, stdout: '', stderr: 'no nodes\n' });
  });

  it('says who is asking', async () => {
    await tagctl('nodes', 'ls');
    await tagctl('nodes', 'ls', '--name', 'alice');
    expect(auth.peers).toEqual(['operator/tester', 'operator/alice']);
  });
});

describe('nodes ls --selector', () => {
  it('lets the service filter, on every page', async () => {
    auth.nodes = [sampleNode(1), sampleNode(2)];
    auth.largestPage = 1;
    const { code } = await tagctl('nodes', 'ls', '--selector', 'aws/env=prod, aws/team=[db, web-*]');
    expect(code).toBe(0);
    const terms = [
      { key: 'aws/env', values: ['prod'] },
      { key: 'aws/team', values: ['db', 'web-*'] },
    ];
    expect(auth.listRequests.map(({ selector }) => selector)).toMatchObject([{ terms }, { terms }]);
  });

  it('points at the character that is wrong, and asks nobody', async () => {
    expect(await tagctl('nodes', 'ls', '--selector', 'aws/env=prod, aws/a\\b')).toEqual({
      code: 2,
      stdout: '',
      stderr: [
        'tagctl: --selector: after a key comes = and its value, at character 22',
        'tagctl:     aws/env=prod, aws/a\\\\b',
        'tagctl:                           ^',
        '',
      ].join('\n'),
    });
    expect(auth.listRequests).toEqual([]);
  });
});

describe('nodes get', () => {
  it('prints one object', async () => {
    auth.nodes = [sampleNode(1), sampleNode(2)];
    const { stdout } = await tagctl('nodes', 'get', 'server-00002', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ server_id: 'server-00002' });
  });

  it('shows a person every label on a line of its own', async () => {
    auth.nodes = [sampleNode(1, [['aws/b', '2'], ['aws/a', '']])]; // prettier-ignore
    const { stdout } = await tagctl('nodes', 'get', 'server-00001');
    expect(stdout).toMatch(/^labels {10}aws\/a=""\n {16}aws\/b=2\n/m);
  });

  it('exits 1 and says so when there is none', async () => {
    expect(await tagctl('nodes', 'get', 'x\u001b[2J')).toEqual({
      code: 1,
      stdout: '',
      stderr: "tagctl: no node 'x\\u001b[2J'; 'tagctl nodes ls' lists them\n",
    });
  });
});
