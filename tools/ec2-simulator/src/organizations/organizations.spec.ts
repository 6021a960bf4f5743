import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DescribeInstancesCommand, DescribeRegionsCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeOrganizationCommand,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListParentsCommand,
  ListRootsCommand,
  ListTagsForResourceCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import { clientOptions } from '../testing/aws.ts';
import { refusal } from '../testing/client.ts';

const MANAGEMENT = '123456789012';
const PROD = '222222222222';
const CLOSED = '333333333333';
const REGIONS = ['eu-central-1', 'af-south-1'];

describe('an organisation', () => {
  let simulator: RunningSimulator;
  let client: OrganizationsClient;

  beforeAll(async () => {
    simulator = await createEc2Simulator({
      instances: 10,
      regions: REGIONS,
      accounts: new Map([['prod', PROD]]),
      estate: {
        accounts: [
          { id: MANAGEMENT, name: 'management', regions: ['eu-central-1'] },
          { id: PROD, name: 'prod', ou: 'workloads/prod', tags: new Map([['env', 'prod']]) },
          { id: CLOSED, ou: 'workloads', status: 'SUSPENDED' },
        ],
      },
    }).listen();
    client = new OrganizationsClient(clientOptions(simulator));
  });

  afterAll(async () => {
    client.destroy();
    await simulator.close();
  });

  it('lists its accounts page by page', async () => {
    const first = await client.send(new ListAccountsCommand({ MaxResults: 2 }));
    expect(first.Accounts?.map(({ Id, Status }) => [Id, Status])).toEqual([
      [MANAGEMENT, 'ACTIVE'],
      [PROD, 'ACTIVE'],
    ]);
    expect(first.Accounts?.[0]?.JoinedTimestamp).toBeInstanceOf(Date);
    const { NextToken } = first;
    const second = await client.send(new ListAccountsCommand({ MaxResults: 2, NextToken }));
    expect(second.Accounts?.map(({ Id, Status }) => [Id, Status])).toEqual([[CLOSED, 'SUSPENDED']]);
    expect(second.NextToken).toBeUndefined();
    const bad = client.send(new ListAccountsCommand({ NextToken: 'x' }));
    expect((await refusal(bad)).name).toBe('InvalidInputException');
  });

  it('has a tree: down from the root, and up from an account', async () => {
    const { Roots: [root] = [] } = await client.send(new ListRootsCommand({}));
    const unitsOf = async (ParentId = '') =>
      (await client.send(new ListOrganizationalUnitsForParentCommand({ ParentId }))).OrganizationalUnits ??
      [];
    const [workloads] = await unitsOf(root?.Id);
    const [prod] = await unitsOf(workloads?.Id);
    expect([workloads?.Name, prod?.Name, await unitsOf(prod?.Id)]).toEqual(['workloads', 'prod', []]);
    const ParentId = prod?.Id ?? '';
    expect(ParentId).toMatch(/^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$/);
    const { Accounts } = await client.send(new ListAccountsForParentCommand({ ParentId }));
    expect(Accounts?.map(({ Name }) => Name)).toEqual(['prod']);
    const parentsOf = async (ChildId: string) =>
      (await client.send(new ListParentsCommand({ ChildId }))).Parents;
    expect(await parentsOf(PROD)).toEqual([{ Id: ParentId, Type: 'ORGANIZATIONAL_UNIT' }]);
    expect(await parentsOf(MANAGEMENT)).toEqual([{ Id: root?.Id, Type: 'ROOT' }]);
    expect((await refusal(unitsOf('ou-none-00000000'))).name).toBe('ParentNotFoundException');
  });

  it('has tags, and tells only the management account of them', async () => {
    const command = new ListTagsForResourceCommand({ ResourceId: PROD });
    expect((await client.send(command)).Tags).toEqual([{ Key: 'env', Value: 'prod' }]);
    const member = new OrganizationsClient(
      clientOptions(simulator, { accessKeyId: 'prod', secretAccessKey: 'x' }),
    );
    expect((await refusal(member.send(command))).name).toBe('AccessDeniedException');
    const { Organization } = await member.send(new DescribeOrganizationCommand({}));
    expect(Organization?.MasterAccountId).toBe(MANAGEMENT);
    member.destroy();
  });

  it('enables regions by account, and shares the seeded instances among them', async () => {
    const seen = async (accessKeyId: string) => {
      const ec2 = new EC2Client(clientOptions(simulator, { accessKeyId, secretAccessKey: 'x' }));
      const enabled = await ec2.send(new DescribeRegionsCommand({}));
      const all = await ec2.send(new DescribeRegionsCommand({ AllRegions: true }));
      ec2.destroy();
      return [enabled.Regions?.length, all.Regions?.map(({ OptInStatus }) => OptInStatus)];
    };
    expect(await seen('any')).toEqual([1, ['opt-in-not-required', 'not-opted-in']]);
    expect(await seen('prod')).toEqual([2, ['opt-in-not-required', 'opted-in']]);
    const ec2 = new EC2Client(clientOptions(simulator, undefined, 'af-south-1'));
    expect((await refusal(ec2.send(new DescribeInstancesCommand({})))).name).toBe('AuthFailure');
    ec2.destroy();
    const count = (account: string, region: string): number =>
      simulator.fleet.list({ account, region }).length;
    expect(REGIONS.map((region) => count(MANAGEMENT, region))).toEqual([2, 0]);
    expect(REGIONS.map((region) => count(PROD, region))).toEqual([2, 2]);
  });

  it('is changed over the control API, and is as it was after a reset', async () => {
    const call = async (method: string, path: string, body?: object) => {
      const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await fetch(`${simulator.url}/_control/${path}`, init);
      return { status: response.status, json: (await response.json()) as object };
    };
    const joined = await call('POST', 'estate/accounts', { id: '444444444444', ou: 'new', tags: { a: 'b' } });
    expect(joined.json).toMatchObject({ id: '444444444444', ou: 'new', tags: { a: 'b' } });
    await call('DELETE', `estate/accounts/${PROD}`);
    await call('PATCH', `estate/accounts/${CLOSED}`, { status: 'ACTIVE' });
    const { Accounts } = await client.send(new ListAccountsCommand({}));
    expect(Accounts?.map(({ Id, Status }) => `${Id ?? ''} ${Status ?? ''}`)).toEqual([
      `${MANAGEMENT} ACTIVE`,
      `${CLOSED} ACTIVE`,
      '444444444444 ACTIVE',
    ]);
    const arn = `arn:aws:iam::${PROD}:role/R`;
    expect(await call('PUT', 'estate/roles', { arn, trusts: ['*'] })).toMatchObject({ status: 200 });
    expect(simulator.estate.role(arn)).toBeDefined();
    expect(await call('DELETE', `estate/roles?arn=${arn}`)).toMatchObject({ status: 200 });
    for (const [method, path, body, status] of [
      ['PATCH', 'estate/accounts/999999999999', {}, 404],
      ['POST', 'estate/accounts', { id: '1' }, 400],
      ['PATCH', `estate/accounts/${PROD}`, { status: 'GONE' }, 400],
      ['PUT', 'estate/roles', { arn: 'x', trusts: [] }, 400],
      ['DELETE', 'estate/roles?arn=x', undefined, 404],
    ] as const) {
      expect([path, (await call(method, path, body)).status]).toEqual([path, status]);
    }
    await call('POST', 'reset');
    expect(simulator.estate.accounts.map(({ id }) => id)).toEqual([MANAGEMENT, PROD, CLOSED]);
  });
});

describe('without an organisation', () => {
  it('says so', async () => {
    await using simulator = await createEc2Simulator({ instances: 0 }).listen();
    const client = new OrganizationsClient(clientOptions(simulator));
    const { name } = await refusal(client.send(new ListAccountsCommand({})));
    client.destroy();
    expect(name).toBe('AWSOrganizationsNotInUseException');
  });
});

describe('seeded accounts', () => {
  it('are as many as asked for, twelve digits each, and the same in every run', () => {
    const of = (): string[] =>
      createEc2Simulator({ estate: { accounts: 40 } }).estate.accounts.map(({ id }) => id);
    const ids = of();
    expect(of()).toEqual(ids);
    expect(new Set(ids).size).toBe(40);
    expect(ids.filter((id) => !/^\d{12}$/.test(id))).toEqual([]);
  });
});
