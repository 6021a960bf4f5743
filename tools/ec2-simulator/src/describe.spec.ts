import {
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe as suite, expect, it } from '@jest/globals';
import { createEc2Simulator } from './simulator.ts';
import type { RunningSimulator } from './simulator.ts';
import { clientOf, describe, idsOf, refusal } from './testing/client.ts';

const REGION = 'eu-central-1';
const LINGER_MS = 60_000;

suite('DescribeInstances through the AWS SDK', () => {
  let clock = Date.UTC(2026, 5, 1);
  let simulator: RunningSimulator;
  let client: EC2Client;
  beforeEach(async () => {
    clock = Date.UTC(2026, 5, 1);
    simulator = await createEc2Simulator({
      instances: 47,
      regions: [REGION, 'us-east-1'],
      lingerMs: LINGER_MS,
      now: () => clock,
    }).listen();
    client = clientOf(simulator.url);
  });
  afterEach(async () => {
    client.destroy();
    await simulator.close();
  });

  const everyId = (): string[] => simulator.fleet.list({ region: REGION, limit: 1000 }).map(({ id }) => id);

  it('shares the seeded instances among the regions', async () => {
    const us = clientOf(simulator.url, 'us-east-1');
    expect(idsOf((await describe(client)).instances)).toHaveLength(24);
    expect(idsOf((await describe(us)).instances)).toHaveLength(23);
    us.destroy();
  });

  it.each([5, 7, 23, 24, 25, 1000])('pages by %i instances, each instance once', async (pageSize) => {
    const pages: string[][] = [];
    for await (const page of paginateDescribeInstances({ client, pageSize }, {})) {
      pages.push((page.Reservations ?? []).flatMap(({ Instances = [] }) => idsOf(Instances)));
    }
    expect(pages.flat()).toEqual(everyId());
    expect(pages.slice(0, -1).every((page) => page.length === pageSize)).toBe(true);
    expect(pages).toHaveLength(Math.ceil(24 / pageSize));
  });

  it('describes a reservation once on a page, and again on the next when it goes on there', async () => {
    const { Reservations: all = [] } = await client.send(new DescribeInstancesCommand({}));
    expect(all.some(({ Instances = [] }) => Instances.length > 1)).toBe(true);
    expect(all.every(({ OwnerId }) => OwnerId === '123456789012')).toBe(true);
    const sizes = new Map<string, number>();
    let parts = 0;
    for await (const { Reservations = [] } of paginateDescribeInstances({ client, pageSize: 5 }, {})) {
      parts += Reservations.length;
      for (const { ReservationId = '', Instances = [] } of Reservations) {
        sizes.set(ReservationId, (sizes.get(ReservationId) ?? 0) + Instances.length);
      }
    }
    expect(parts).toBeGreaterThan(all.length);
    expect([...sizes]).toEqual(
      all.map(({ ReservationId, Instances = [] }) => [ReservationId, Instances.length]),
    );
  });

  it('goes on in its order when instances come and go between pages', async () => {
    const before = everyId();
    const first = await describe(client, { MaxResults: 10 });
    simulator.fleet.setState({ region: REGION, id: before[3] ?? '' }, 'terminated');
    simulator.fleet.setState({ region: REGION, id: before[12] ?? '' }, 'terminated');
    const [added] = simulator.fleet.run({ region: REGION, count: 1 });
    clock += LINGER_MS;
    const second = await describe(client, { MaxResults: 1000, NextToken: first.nextToken });
    expect(idsOf(second.instances)).toEqual([...before.slice(10, 12), ...before.slice(13), added?.id]);
  });

  it('binds a NextToken to its query, region and time', async () => {
    const { nextToken: NextToken } = await describe(client, { MaxResults: 5 });
    const Filters = [{ Name: 'tag-key', Values: ['env'] }];
    const invalid = { name: 'InvalidNextToken', status: 400 };
    expect(await refusal(describe(client, { MaxResults: 5, NextToken, Filters }))).toEqual(invalid);
    expect(await refusal(describe(client, { MaxResults: 5, NextToken: `${NextToken ?? ''}A` }))).toEqual(
      invalid,
    );
    const us = clientOf(simulator.url, 'us-east-1');
    expect(await refusal(describe(us, { MaxResults: 5, NextToken }))).toEqual(invalid);
    us.destroy();
    expect((await describe(client, { MaxResults: 5, NextToken })).instances).toHaveLength(5);
    clock += 60 * 60 * 1000 + 1;
    expect(await refusal(describe(client, { MaxResults: 5, NextToken }))).toEqual(invalid);
  });

  it.each([
    ['too small a page', { MaxResults: 4 }, 'InvalidParameterValue'],
    ['too large a page', { MaxResults: 1001 }, 'InvalidParameterValue'],
    ['an unknown filter', { Filters: [{ Name: 'shoe-size', Values: ['1'] }] }, 'InvalidParameterValue'],
    ['a filter without values', { Filters: [{ Name: 'vpc-id' }] }, 'InvalidParameterValue'],
    [
      'too many filter values',
      { Filters: [{ Name: 'vpc-id', Values: Array.from({ length: 201 }, (_, i) => `vpc-${i}`) }] },
      'FilterLimitExceeded',
    ],
    ['a page size with ids', { MaxResults: 5, InstanceIds: ['i-00000000'] }, 'InvalidParameterCombination'],
    ['an id that is not there', { InstanceIds: ['i-00000000000000000'] }, 'InvalidInstanceID.NotFound'],
    ['an id that is none', { InstanceIds: ['server-1'] }, 'InvalidInstanceID.Malformed'],
  ])('refuses %s', async (_, input, name) => {
    expect(await refusal(describe(client, input))).toEqual({ name, status: 400 });
  });

  it('says that a dry run would have succeeded', async () => {
    expect(await refusal(describe(client, { DryRun: true }))).toEqual({
      name: 'DryRunOperation',
      status: 412,
    });
  });

  it('finds instances by id', async () => {
    const [, second = '', third = ''] = everyId();
    const { instances } = await describe(client, { InstanceIds: [third, second] });
    expect(idsOf(instances).sort()).toEqual([second, third].sort());
  });

  it('filters as EC2 does: any value of a filter, every filter, wildcards', async () => {
    const views = simulator.fleet.list({ region: REGION, limit: 1000 });
    const [a, b, c] = views.map(({ id }) => ({ region: REGION, id }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('too few instances');
    simulator.fleet.replaceTags(
      a,
      new Map([
        ['role', 'web-1'],
        ['tier', 'x'],
      ]),
    );
    simulator.fleet.replaceTags(b, new Map([['role', 'web-22']]));
    simulator.fleet.replaceTags(c, new Map([['role', 'web*']]));
    simulator.fleet.setState(b, 'stopped');
    const found = async (...filters: [string, ...string[]][]): Promise<string[]> => {
      const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }));
      return idsOf((await describe(client, { Filters })).instances);
    };
    expect(await found(['tag:role', 'web-1', 'web-22'])).toEqual([a.id, b.id]);
    expect(await found(['tag:role', 'web-?'])).toEqual([a.id]);
    expect(await found(['tag:role', 'web*'])).toEqual([a.id, b.id, c.id]);
    expect(await found(['tag:role', 'web\\*'])).toEqual([c.id]);
    expect(await found(['tag:role', 'WEB*'])).toEqual([]);
    expect(await found(['tag:role', '*'], ['tag-key', 'ti?r'])).toEqual([a.id]);
    expect(await found(['instance-state-name', 'stopped'])).toEqual([b.id]);
    expect(await found(['instance-id', a.id, c.id], ['instance-state-code', '16'])).toEqual([a.id, c.id]);
    expect(await found(['tag-value', 'web-22'])).toEqual([b.id]);
  });

  it('filters by what it describes', async () => {
    const { instances } = await describe(client);
    const instance = instances[0];
    for (const [Name, value] of [
      ['vpc-id', instance?.VpcId],
      ['subnet-id', instance?.SubnetId],
      ['instance-type', instance?.InstanceType],
      ['image-id', instance?.ImageId],
      ['availability-zone', instance?.Placement?.AvailabilityZone],
      ['private-ip-address', instance?.PrivateIpAddress],
      ['architecture', instance?.Architecture],
    ] as const) {
      const Filters = [{ Name, Values: [value ?? 'missing'] }];
      const found = await describe(client, { Filters });
      expect(idsOf(found.instances)).toContain(instance?.InstanceId);
    }
  });

  it('lists its regions', async () => {
    const { Regions = [] } = await client.send(new DescribeRegionsCommand({}));
    expect(Regions.map(({ RegionName }) => RegionName)).toEqual([REGION, 'us-east-1']);
    const one = await client.send(new DescribeRegionsCommand({ RegionNames: ['us-east-1'] }));
    expect(one.Regions).toHaveLength(1);
  });

  it('knows a caller by the credential scope', async () => {
    const elsewhere = clientOf(simulator.url, 'ap-south-1');
    expect(await refusal(describe(elsewhere))).toEqual({ name: 'AuthFailure', status: 401 });
    elsewhere.destroy();
  });
});
