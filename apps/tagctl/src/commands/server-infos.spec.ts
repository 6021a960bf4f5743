import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { ServerInfoSchema } from '@tagplane/protocol';
import { parse as parseYaml } from 'yaml';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleServerInfo } from '../testing/samples.ts';

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
  for (const name of ['db-tier', 'web-tier']) {
    auth.serverInfos.set(name, sampleServerInfo(name, [['dynamic/tier', name]]));
  }
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

const WEB_TIER = {
  name: 'web-tier',
  match: { server_id: 'server-00001' },
  labels: { 'dynamic/tier': 'web-tier' },
  observed_at: '2026-11-22T11:59:00.000Z',
  expires_at: '2026-11-22T13:00:00.000Z',
  revision: 42,
  origin: 'operator/tester',
};

describe('server-infos ls', () => {
  it('prints the fields that others script against, as JSON and as YAML', async () => {
    const json = await tagctl('server-infos', 'ls', '--format', 'json');
    expect(JSON.parse(json.stdout)).toStrictEqual([
      { ...WEB_TIER, name: 'db-tier', labels: { 'dynamic/tier': 'db-tier' } },
      WEB_TIER,
    ]);
    const yaml = await tagctl('server-infos', 'ls', '--format', 'yaml', '--limit', '1');
    expect(parseYaml(yaml.stdout)).toMatchObject([{ name: 'db-tier', revision: 42 }]);
  });

  it('shows what never expires, and a match of a newer version', async () => {
    auth.serverInfos.clear();
    auth.serverInfos.set('new', create(ServerInfoSchema, { name: 'new' }));
    const json = await tagctl('server-infos', 'ls', '--format', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject([{ match: null, observed_at: null, expires_at: null }]);
    const table = await tagctl('server-infos', 'ls');
    expect(table.stdout).toContain('of a kind unknown to this version  never');
  });
});

describe('server-infos get', () => {
  it('prints one object', async () => {
    const { stdout } = await tagctl('server-infos', 'get', 'web-tier', '--format', 'json');
    expect(JSON.parse(stdout)).toStrictEqual(WEB_TIER);
  });

  it('exits 1 when there is none', async () => {
    const { code, stderr } = await tagctl('server-infos', 'get', 'nope');
    expect(code).toBe(1);
    expect(stderr).toBe("tagctl: no ServerInfo 'nope'; 'tagctl server-infos ls' lists them\n");
  });
});

describe('server-infos rm', () => {
  it('removes all that are named', async () => {
    const { code, stdout } = await tagctl('server-infos', 'rm', 'web-tier', 'db-tier', 'web-tier');
    expect(code).toBe(0);
    expect(stdout).toBe('server_info web-tier removed\nserver_info db-tier removed\n');
    expect(auth.serverInfos.size).toBe(0);
  });

  it('removes what is there, names what is not, and exits 1', async () => {
    const text = await tagctl('server-infos', 'rm', 'web-tier', 'nope');
    expect(text).toEqual({
      code: 1,
      stdout: 'server_info web-tier removed\n',
      stderr: "tagctl: no ServerInfo 'nope'\n",
    });
    const json = await tagctl('server-infos', 'rm', 'db-tier', 'nope', '--format', 'json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toEqual({ deleted: ['db-tier'], missing: ['nope'] });
  });
});
