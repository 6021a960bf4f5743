import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { GetStatusResponseSchema } from '@tagplane/protocol';
import { parse as parseYaml } from 'yaml';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  auth.status = create(GetStatusResponseSchema, {
    authId: 'auth-1',
    version: '0.1.0',
    storeType: 'embedded',
    storeEpoch: 'e1',
    uptime: { seconds: 3_720n },
    connectedAgents: 25,
    serverInfos: 200n,
    nodes: 26n,
  });
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);

describe('status', () => {
  it('tells people', async () => {
    const { code, stdout } = await tagctl('status');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        `address           ${served.address}`,
        'auth              auth-1',
        'version           0.1.0',
        'uptime            1h2m',
        'store             embedded, epoch e1',
        'agents connected  25',
        'ServerInfos       200',
        'nodes             26',
        'problems          none',
        '',
      ].join('\n'),
    );
  });

  it('is one document, and exits 1 with problems', async () => {
    auth.status.problems = ['the store does not answer'];
    const expected = {
      address: served.address,
      auth_id: 'auth-1',
      version: '0.1.0',
      uptime_seconds: 3_720,
      store: { type: 'embedded', epoch: 'e1' },
      connected_agents: 25,
      server_infos: 200,
      nodes: 26,
      problems: ['the store does not answer'],
    };
    const json = await tagctl('status', '--format', 'json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toStrictEqual(expected);
    const yaml = await tagctl('status', '--format', 'yaml');
    expect(yaml.code).toBe(1);
    expect(parseYaml(yaml.stdout)).toStrictEqual(expected);
  });
});
