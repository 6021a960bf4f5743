import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  RoleError,
  callerAccount,
  createCommands,
  createQueue,
  createRoles,
  listAccounts,
} from '@tagplane/aws';
import type { AwsCallOptions } from '@tagplane/aws';
import { commandsContract, queueContract, testRegion } from '@tagplane/aws/testing';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { Ec2SimulatorOptions, RunningSimulator } from '@tagplane/ec2-simulator';
import { parseInstanceId } from '@tagplane/identity';

jest.setTimeout(120_000);

const region = testRegion('eu-central-1');
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
const { signal } = new AbortController();
const MANAGEMENT = '111111111111';
const MEMBER = '222222222222';

async function start(options: Ec2SimulatorOptions = {}): Promise<RunningSimulator> {
  return await createEc2Simulator({ instances: 0, regions: [region], ...options }).listen();
}

function callsOf({ url: endpoint }: RunningSimulator): AwsCallOptions {
  return { region, credentials, endpoint };
}

queueContract('simulator', async () => {
  const aws = await start();
  const queueName = { region, account: '123456789012', name: 'contract' };
  aws.queues.create(queueName);
  const url = `${aws.url}/123456789012/contract`;
  const queue = createQueue({ ...callsOf(aws), url });
  return {
    queue,
    put: (bodies: readonly string[]) => {
      const to = aws.queues.get(queueName);
      for (const body of bodies) to.send(body, Date.now());
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: async () => {
      queue[Symbol.dispose]();
      await aws.close();
    },
  };
});

commandsContract('simulator', async () => {
  const aws = await start({ instances: 60, ssmAgents: 'none' });
  const commands = createCommands(callsOf(aws));
  return {
    commands,
    manage: (count: number) => {
      const chosen = aws.fleet.list({ region, limit: count });
      for (const { id } of chosen) {
        aws.fleet.setState({ region, id }, 'running');
        aws.ssm.setAgent({ region, id }, 'online');
      }
      return Promise.resolve(chosen.map(({ id }) => parseInstanceId(id)).filter((id) => id !== undefined));
    },
    [Symbol.asyncDispose]: async () => {
      commands[Symbol.dispose]();
      await aws.close();
    },
  };
});

describe('an estate in the simulator', () => {
  let aws: RunningSimulator;
  afterEach(async () => {
    await aws.close();
  });

  it('lets the role in with its external id, and tells what to do without', async () => {
    const accounts = [{ id: MANAGEMENT }, { id: MEMBER }];
    aws = await start({ account: MANAGEMENT, estate: { accounts, role: 'Discovery', externalId: 'right' } });
    using roles = createRoles({ region, base: credentials, endpoint: aws.url });
    const roleArn = `arn:aws:iam::${MEMBER}:role/Discovery`;
    const provider = roles.provider([{ roleArn, externalId: 'right' }]);
    expect(await callerAccount({ ...callsOf(aws), credentials: provider }, signal)).toBe(MEMBER);
    const wrong: unknown = await roles
      .provider([{ roleArn, externalId: 'wrong' }])()
      .catch((thrown: unknown) => thrown);
    expect(wrong).toBeInstanceOf(RoleError);
    expect(wrong).toMatchObject({
      ...{ roleArn, kind: 'denied', code: 'AccessDenied' },
      fix: expect.stringContaining('the external id must equal the sts:ExternalId'),
    });
  });

  it('tells its accounts with their units, but to the management account alone', async () => {
    const accounts = [
      { id: MANAGEMENT },
      { id: MEMBER, ou: 'workloads/prod', tags: new Map([['env', 'prod']]) },
      { id: '333333333333', ou: 'workloads', status: 'SUSPENDED' as const },
    ];
    aws = await start({ account: MANAGEMENT, estate: { accounts, role: 'Discovery' } });
    const told = await listAccounts({ ...callsOf(aws), withTags: true }, signal);
    expect(told.map(({ id, status, ous }) => [id, status, ous.length])).toEqual([
      [MANAGEMENT, 'active', 1],
      [MEMBER, 'active', 3],
      ['333333333333', 'suspended', 2],
    ]);
    expect(told[1]?.ous.slice(0, 2)).toEqual(told[2]?.ous);
    expect(told[1]?.tags).toEqual(new Map([['env', 'prod']]));
    using roles = createRoles({ region, base: credentials, endpoint: aws.url });
    const member = roles.provider([{ roleArn: `arn:aws:iam::${MEMBER}:role/Discovery` }]);
    await expect(listAccounts({ ...callsOf(aws), credentials: member }, signal)).rejects.toMatchObject({
      kind: 'denied',
      fix: expect.stringContaining('management account or a delegated administrator'),
    });
  });
});
