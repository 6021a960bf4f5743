import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import { clientOptions, keysOf } from '../testing/aws.ts';
import type { Keys } from '../testing/aws.ts';
import { refusal } from '../testing/client.ts';

const MEMBER = '222222222222';
const ROLE = `arn:aws:iam::${MEMBER}:role/Discovery`;
const NEXT = `arn:aws:iam::${MEMBER}:role/path/Next`;

describe('AssumeRole', () => {
  let simulator: RunningSimulator;
  let later = 0;

  beforeEach(async () => {
    later = 0;
    simulator = await createEc2Simulator({
      instances: 6,
      regions: ['eu-central-1'],
      now: () => Date.now() + later,
      estate: {
        accounts: [{ id: '123456789012' }, { id: MEMBER }],
        role: 'Discovery',
        externalId: 'secret',
        roles: [{ arn: NEXT, trusts: [ROLE], actions: ['ec2:DescribeTags'] }],
      },
    }).listen();
  });

  afterEach(() => simulator.close());

  async function assume(input: Partial<AssumeRoleCommandInput> = {}, keys?: Keys) {
    const client = new STSClient(clientOptions(simulator, keys));
    const command = { RoleArn: ROLE, RoleSessionName: 'tagplane', ExternalId: 'secret', ...input };
    return await client.send(new AssumeRoleCommand(command)).finally(() => {
      client.destroy();
    });
  }

  async function accountsSeen(keys: Keys): Promise<(string | undefined)[]> {
    const client = new EC2Client(clientOptions(simulator, keys));
    const answer = await client.send(new DescribeInstancesCommand({})).finally(() => {
      client.destroy();
    });
    return (answer.Reservations ?? []).map(({ OwnerId }) => OwnerId);
  }

  it('gives credentials of the account, which EC2 and STS know', async () => {
    const answer = await assume({ Tags: [{ Key: 'team', Value: 'é' }] });
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${MEMBER}:assumed-role/Discovery/tagplane`);
    const keys = keysOf(answer);
    expect(new Set(await accountsSeen(keys))).toEqual(new Set([MEMBER]));
    const sts = new STSClient(clientOptions(simulator, keys));
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: MEMBER });
    sts.destroy();
    expect(simulator.sts.sessions.map(({ sessionTags }) => [...sessionTags])).toEqual([[['team', 'é']]]);
  });

  it.each<[string, Partial<AssumeRoleCommandInput>, string, number]>([
    ['another external id', { ExternalId: 'other' }, 'AccessDenied', 403],
    ['no external id', { ExternalId: undefined }, 'AccessDenied', 403],
    ['a role that is not there', { RoleArn: `${ROLE}x` }, 'AccessDenied', 403],
    ['a role that trusts others', { RoleArn: NEXT }, 'AccessDenied', 403],
    ['no ARN', { RoleArn: 'arn:aws:iam::1:role/x-x-x-x-x-x' }, 'ValidationError', 400],
    ['a bad session name', { RoleSessionName: 'a b' }, 'ValidationError', 400],
    ['too short a session', { DurationSeconds: 899 }, 'ValidationError', 400],
    ['a longer session than the role allows', { DurationSeconds: 3601 }, 'ValidationError', 400],
    [
      'a tag twice',
      {
        Tags: [
          { Key: 'a', Value: '' },
          { Key: 'A', Value: '' },
        ],
      },
      'InvalidParameterValue',
      400,
    ],
  ])('refuses %s', async (_what, input, name, status) => {
    expect(await refusal(assume(input))).toEqual({ name, status });
  });

  it('refuses a suspended account', async () => {
    simulator.estate.change(MEMBER, { status: 'SUSPENDED' });
    await expect(assume()).rejects.toThrow(
      'User: arn:aws:iam::123456789012:user/any is not authorized to perform: sts:AssumeRole on resource: ' +
        ROLE,
    );
  });

  it('chains, for an hour at most, and each role may do what it may', async () => {
    const keys = keysOf(await assume());
    const chained = await assume({ RoleArn: NEXT, ExternalId: undefined }, keys);
    expect(await refusal(accountsSeen(keysOf(chained)))).toEqual({
      name: 'UnauthorizedOperation',
      status: 403,
    });
    simulator.estate.putRole({ arn: NEXT, trusts: [ROLE], maxDuration: 7200 });
    await expect(assume({ RoleArn: NEXT, DurationSeconds: 7200 }, keys)).rejects.toThrow('role chaining');
  });

  it('ends sessions: EC2 says RequestExpired, STS ExpiredToken', async () => {
    const keys = keysOf(await assume({ DurationSeconds: 900 }));
    later = 899_000;
    await accountsSeen(keys);
    later = 900_000;
    expect(await refusal(accountsSeen(keys))).toEqual({ name: 'RequestExpired', status: 400 });
    expect(await refusal(assume({ RoleArn: NEXT }, keys))).toMatchObject({ status: 403 });
  });

  it('refuses the session token of other credentials', async () => {
    const keys = { ...keysOf(await assume()), sessionToken: 'x' };
    expect(await refusal(accountsSeen(keys))).toEqual({ name: 'AuthFailure', status: 401 });
  });
});
