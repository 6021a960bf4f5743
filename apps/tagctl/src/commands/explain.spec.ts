import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { LabelSource, LabelState, ServerInfoMatchSchema } from '@tagplane/protocol';
import { NOW, run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';
import { sampleExplanation } from '../testing/fake-explain.ts';
import { sampleNode, sampleServerInfo } from '../testing/samples.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

const minutesAgo = (minutes: number) => timestampFromMs(NOW - minutes * 60_000);

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
  const discovered = {
    source: LabelSource.DISCOVERED,
    serverInfo: 'aws-123456789012-eu-central-1-i-00000000000000001',
    writtenBy: 'discovery/eu',
    observedAt: minutesAgo(3),
    storedAt: minutesAgo(2),
    expiresAt: timestampFromMs(NOW + 3_600_000),
  };
  auth.explain.explanations.set(
    'server-00001',
    sampleExplanation({
      node: sampleNode(1, [['aws/team', 'db']]),
      discovered: sampleServerInfo('aws-123456789012-eu-central-1-i-00000000000000001', [['aws/team', 'db']]),
      assigned: [sampleServerInfo('web-tier', [['dynamic/tier', 'web']])],
      labels: [
        {
          key: 'aws/team',
          value: 'db',
          state: LabelState.HELD,
          origin: discovered,
          overruled: [
            {
              value: 'web',
              origin: { source: LabelSource.IMPORTED },
              reason: 'discovery has the authority over aws/',
            },
          ],
        },
        {
          key: 'dynamic/tier',
          value: 'web',
          state: LabelState.PENDING,
          origin: { source: LabelSource.ASSIGNED, serverInfo: 'web-tier', writtenBy: 'operator/bob' },
          reason: 'the agent has not acknowledged it yet',
        },
      ],
      delivery: { pushedBy: 'auth-1', pushedAt: minutesAgo(2), ackedAt: minutesAgo(2) },
      problems: ['the tag \u001b[2J cannot be carried: rename it'],
    }),
  );
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const explain = (...args: string[]) => run(['explain', ...args, '--address', served.address]);

const STORY = `node server-00001 (ip-10-0-0-1.eu-central-1.compute.internal): SYNCED, connected, last seen 12s ago by auth-1
instance 123456789012/eu-central-1/i-00000000000000001
discovered: aws-123456789012-eu-central-1-i-00000000000000001 by operator/tester, observed 1m ago, ends in 1h
assigned: web-tier by operator/tester, ends in 1h
delivered: 2m ago, by auth-1, acknowledged 2m ago

aws/team=db  HELD
  EC2 says so, by discovery, in aws-123456789012-eu-central-1-i-00000000000000001, written by discovery/eu, observed 3m ago, stored 2m ago, ends in 1h
  not web: discovery has the authority over aws/, where instance metadata says so, by the word of the agent
dynamic/tier=web  PENDING
  the agent has not acknowledged it yet
  an operator says so, in web-tier, written by operator/bob

problems:
  the tag \\u001b[2J cannot be carried: rename it
`;

describe('explain', () => {
  it('tells the story of every label', async () => {
    expect(await explain('server-00001')).toEqual({ code: 0, stdout: STORY, stderr: '' });
  });

  it('is the response as a document, with one label if one is asked for', async () => {
    const { code, stdout } = await explain('server-00001', 'dynamic/tier', '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      node: { server_id: 'server-00001' },
      discovered: { origin: 'operator/tester' },
      assigned: [{ name: 'web-tier' }],
      labels: [
        {
          key: 'dynamic/tier',
          value: 'web',
          state: 'PENDING',
          origin: {
            source: 'assigned',
            server_info: 'web-tier',
            written_by: 'operator/bob',
            observed_at: null,
          },
          overruled: [],
          reason: 'the agent has not acknowledged it yet',
        },
      ],
      delivery: { pushed_by: 'auth-1', pushed_at: '2026-11-22T11:58:00.000Z' },
      problems: ['the tag \u001b[2J cannot be carried: rename it'],
    });
  });

  it.each([
    ['aws/none', 'EC2 had no such tag'],
    ['dynamic/none', 'no ServerInfo of an operator'],
    ['none', "the agent's own configuration"],
  ])('says why nobody may say %s', async (key, why) => {
    const { code, stdout, stderr } = await explain('server-00001', key);
    expect(code).toBe(1);
    expect(stderr).toContain(`nobody says ${key}: `);
    expect(stderr).toContain(why);
    expect(stdout).toContain('no labels\n\nproblems:\n');
  });

  it('finds an instance by its id: by a node, by discovery, or by its account and region', async () => {
    const [only] = auth.explain.explanations.values();
    auth.nodes = [{ ...sampleNode(1), serverId: 'server-00001' }];
    expect(await explain('i-00000000000000001')).toMatchObject({ code: 0, stdout: STORY });
    auth.nodes = [];
    const instance = { accountId: '123456789012', region: 'eu-west-1', instanceId: 'i-0000000000000000a' };
    if (only !== undefined) auth.explain.explanations.set('123456789012/eu-west-1/i-0000000000000000a', only);
    const name = 'aws-123456789012-eu-west-1-i-0000000000000000a';
    const match = create(ServerInfoMatchSchema, { target: { case: 'awsInstance', value: instance } });
    auth.serverInfos.set(name, { ...sampleServerInfo(name), match });
    expect(await explain('i-0000000000000000a')).toMatchObject({ code: 0, stdout: STORY });
    expect(await explain('123456789012/eu-west-1/i-0000000000000000a')).toMatchObject({ code: 0 });
  });

  it('says what to look at when nothing is known', async () => {
    for (const text of ['nope', 'i-0000000000000000b', '123456789012/eu-west-1/i-0000000000000000b']) {
      const { code, stderr } = await explain(text);
      expect(code).toBe(1);
      expect(stderr).toContain(`nothing is known of '${text}': no agent has spoken for it`);
    }
    expect(await explain('a/b')).toMatchObject({ code: 2 });
  });
});
