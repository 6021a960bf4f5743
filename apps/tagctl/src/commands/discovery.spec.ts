import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { EnrolmentState, RejectedTagSchema } from '@tagplane/protocol';
import { run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleGroup, sampleInstance, sampleScope } from '../testing/fake-discovery.ts';
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

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);
const json = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await tagctl('discovery', ...args, '--format', 'json')).stdout);

const FIX = 'AccessDenied: role X may not be assumed; \u001b[2J add it to the trust policy';
const SCOPE = {
  group: 'main',
  id: '123456789012/eu-west-1',
  account_id: '123456789012',
  region: 'eu-west-1',
  state: 'FAILING',
  problem: FIX,
  instances: 40,
  rejected_tags: 3,
  rejected_instances: 1,
  last_complete_at: '2026-11-22T11:59:00.000Z',
  requests: 12,
  throttles: 2,
  quota_used: 0.126,
  behind_seconds: 1.5,
  last_event_at: null,
  reported_at: '2026-11-22T11:59:55.000Z',
};

describe('discovery status', () => {
  it('shows groups, totals and what fails', async () => {
    auth.discovery.groups = [sampleGroup('main', 'a-1', 'b-2'), sampleGroup('idle')];
    auth.discovery.scopes = [sampleScope('eu-central-1'), sampleScope('eu-west-1', FIX)];
    const { code, stdout } = await tagctl('discovery', 'status');
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nmain +a-1 +b-2 +0\.1\.0\nidle +nobody +none +-\n\n/);
    expect(stdout).toMatch(/\nscopes +2: 1 ok, 0 pending\nfailing +1\ninstances +80\nrejected tags +6\n/);
    expect(stdout).toMatch(
      /\nscope +123456789012\/eu-west-1\ngroup +main\nstate +FAILING\nproblem +AccessDenied/,
    );
    expect(stdout).not.toContain('\u001b');
    expect(await json('status')).toStrictEqual({
      groups: [
        {
          name: 'main',
          leader: 'a-1',
          token: '7',
          replicas: [
            {
              replica: 'a-1',
              identity: 'discovery/a-1',
              leader: true,
              seen_at: '2026-11-22T11:59:58.000Z',
              version: '0.1.0',
            },
            {
              replica: 'b-2',
              identity: 'discovery/b-2',
              leader: false,
              seen_at: '2026-11-22T11:59:58.000Z',
              version: '0.1.0',
            },
          ],
        },
        { name: 'idle', leader: null, token: null, replicas: [] },
      ],
      scopes: { total: 2, ok: 1, pending: 0, failing: 1 },
      instances: 80,
      rejected_tags: 6,
      rejected_instances: 2,
      failing: [SCOPE],
    });
  });

  it('is content when somebody leads and nothing fails', async () => {
    auth.discovery.groups = [sampleGroup('main', 'a-1')];
    auth.discovery.scopes = [sampleScope('eu-central-1')];
    expect(await tagctl('discovery', 'status')).toMatchObject({ code: 0, stderr: '' });
    auth.discovery.groups = [sampleGroup('main')];
    expect(await tagctl('discovery', 'status')).toMatchObject({ code: 1 });
  });

  it('says that there are none', async () => {
    expect(await tagctl('discovery', 'status')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no discovery groups\n',
    });
  });
});

describe('discovery scopes', () => {
  beforeEach(() => {
    auth.discovery.scopes = [sampleScope('eu-central-1'), sampleScope('eu-west-1', FIX)];
  });

  it('lists all of them, page by page', async () => {
    auth.discovery.largestPage = 1;
    const { code, stdout } = await tagctl('discovery', 'scopes');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /\n123456789012\/eu-central-1 +OK +40 +1m ago +13% +- +3 tags, 1 instance +main\n123456789012\/eu-west-1 +FAILING .* AccessDenied: role X/,
    );
  });

  it('lists only failing ones when asked to', async () => {
    expect(await json('scopes', '--failing')).toStrictEqual([SCOPE]);
    auth.discovery.scopes.pop();
    expect(await tagctl('discovery', 'scopes', '--failing')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no scopes\n',
    });
  });
});

describe('discovery rejected', () => {
  it('lists every tag of those that have some, and counts them', async () => {
    const rejected = (...keys: string[]) =>
      keys.map((key) => create(RejectedTagSchema, { key, reason: 'denied by import.deny' }));
    const infos = ['a', 'b', 'c'].map((name) => sampleServerInfo(name));
    for (const info of infos) {
      const instance = { accountId: '123456789012', region: 'eu-west-1', instanceId: `i-0${info.name}` };
      info.match = {
        $typeName: 'tagplane.v1.ServerInfoMatch',
        target: { case: 'awsInstance', value: { $typeName: 'tagplane.v1.AwsInstance', ...instance } },
      };
      auth.serverInfos.set(info.name, info);
    }
    if (infos[0] !== undefined) infos[0].rejectedTags = rejected('secret-1', 'secret\u202e2');
    if (infos[2] !== undefined) infos[2].rejectedTags = rejected('secret-3');
    const { code, stdout, stderr } = await tagctl('discovery', 'rejected');
    expect(code).toBe(0);
    expect(stderr).toBe('3 tags of 2 instances\n');
    expect(stdout).toMatch(
      /\n123456789012 +eu-west-1 +i-0a +secret-1 +denied by import\.deny\n.* secret\\u202e2 /,
    );
    expect(await json('rejected', '--limit', '1')).toStrictEqual([
      {
        aws: { account_id: '123456789012', region: 'eu-west-1', instance_id: 'i-0a' },
        key: 'secret-1',
        reason: 'denied by import.deny',
        server_info: 'a',
      },
    ]);
  });
});

describe('discovery instances', () => {
  beforeEach(() => {
    auth.discovery.instances = [
      sampleInstance('i-0a', EnrolmentState.FAILED, 'the installer ended with 1: no systemd'),
      sampleInstance('i-0b', EnrolmentState.FAILED),
      sampleInstance('i-0c', EnrolmentState.UNSPECIFIED),
      sampleInstance('i-0d', 99 as EnrolmentState),
    ];
  });

  it('lists them with their state and reason, and counts the states', async () => {
    auth.discovery.largestPage = 1;
    const { code, stdout, stderr } = await tagctl('discovery', 'instances');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\n123456789012\/eu-central-1\/i-0a +FAILED +- +2 +in 2m +1m ago +the installer ended with 1: no systemd\n/,
    );
    expect(stderr).toBe('2 FAILED, 1 NONE, 1 UNKNOWN\n');
    expect(await json('instances', '--limit', '1')).toStrictEqual([
      {
        aws: { account_id: '123456789012', region: 'eu-central-1', instance_id: 'i-0a' },
        state: 'FAILED',
        reason: 'the installer ended with 1: no systemd',
        server_ids: [],
        attempts: 2,
        command_id: 'c-1',
        next_attempt_at: '2026-11-22T12:02:00.000Z',
        recorded_at: '2026-11-22T11:59:00.000Z',
        origin: 'discovery/main',
      },
    ]);
  });

  it('asks for what is wanted only', async () => {
    const flags = ['--state', 'failed', '--state', 'no-ssm-agent', '--account', '123456789012'];
    expect(await tagctl('discovery', 'instances', ...flags, '--region', 'eu-west-1')).toMatchObject({
      code: 0,
    });
    expect(auth.discovery.instanceRequests.at(-1)).toMatchObject({
      states: [EnrolmentState.FAILED, EnrolmentState.NO_SSM_AGENT],
      accountId: '123456789012',
      region: 'eu-west-1',
    });
  });

  it.each([
    ['--state', 'lost', 'Allowed choices are ENROLLED, WAITING'],
    ['--account', '12', 'Expected twelve digits'],
    ['--region', 'Frankfurt', 'Expected a region, such as eu-central-1'],
  ])('refuses %s %s', async (flag, value, message) => {
    const { code, stderr } = await tagctl('discovery', 'instances', flag, value);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
