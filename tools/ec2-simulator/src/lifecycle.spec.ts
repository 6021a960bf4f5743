import {
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe as suite, expect, it } from '@jest/globals';
import { createEc2Simulator } from './simulator.ts';
import type { RunningSimulator } from './simulator.ts';
import { clientOf, describe, idsOf, refusal, tagsOf } from './testing/client.ts';

suite('the life of an instance through the AWS SDK', () => {
  let clock = Date.UTC(2026, 5, 1);
  let simulator: RunningSimulator;
  let client: EC2Client;
  beforeEach(async () => {
    simulator = await createEc2Simulator({
      instances: 0,
      regions: ['eu-central-1'],
      transitionMs: 2_000,
      lingerMs: 60_000,
      accounts: new Map([['other-key', '210987654321']]),
      now: () => clock,
    }).listen();
    client = clientOf(simulator.url);
  });
  afterEach(async () => {
    client.destroy();
    await simulator.close();
  });

  const run = (count: number, MinCount = count) =>
    client.send(
      new RunInstancesCommand({
        ImageId: 'ami-1&2',
        InstanceType: 'm7g.large',
        MinCount,
        MaxCount: count,
        TagSpecifications: [
          { ResourceType: 'instance', Tags: [{ Key: 'team', Value: 'a' }] },
          { ResourceType: 'volume', Tags: [{ Key: 'team', Value: 'b' }] },
        ],
      }),
    );
  const states = async (): Promise<string[]> =>
    (await describe(client)).instances.map(({ State }) => State?.Name ?? '');

  it('starts instances under one reservation, with their tags', async () => {
    const reservation = await run(3);
    expect(reservation.OwnerId).toBe('123456789012');
    const started = reservation.Instances ?? [];
    expect(started.map(({ State }) => State)).toEqual(Array(3).fill({ Code: 0, Name: 'pending' }));
    expect(new Set(idsOf(started)).size).toBe(3);
    clock += 2_000;
    const { instances } = await describe(client);
    expect(idsOf(instances)).toEqual(idsOf(started));
    expect(await states()).toEqual(['running', 'running', 'running']);
    expect(tagsOf(instances[0])).toEqual(new Map([['team', 'a']]));
    expect(instances[0]).toMatchObject({
      ImageId: 'ami-1&2',
      InstanceType: 'm7g.large',
      Architecture: 'arm64',
    });
  });

  it('goes through all states and is gone in the end', async () => {
    const InstanceIds = idsOf((await run(1)).Instances ?? []);
    clock += 2_000;
    const stop = await client.send(new StopInstancesCommand({ InstanceIds }));
    expect(stop.StoppingInstances).toEqual([
      {
        InstanceId: InstanceIds[0],
        CurrentState: { Code: 64, Name: 'stopping' },
        PreviousState: { Code: 16, Name: 'running' },
      },
    ]);
    expect((await refusal(client.send(new StartInstancesCommand({ InstanceIds })))).name).toBe(
      'IncorrectInstanceState',
    );
    clock += 2_000;
    expect(await states()).toEqual(['stopped']);
    await client.send(new StartInstancesCommand({ InstanceIds }));
    expect(await states()).toEqual(['pending']);
    clock += 2_000;
    await client.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(await states()).toEqual(['shutting-down']);
    clock += 2_000;
    expect(await states()).toEqual(['terminated']);
    expect((await refusal(client.send(new StopInstancesCommand({ InstanceIds })))).name).toBe(
      'IncorrectInstanceState',
    );
    const again = await client.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(again.TerminatingInstances?.[0]?.CurrentState?.Name).toBe('terminated');
    expect(tagsOf((await describe(client)).instances[0]).get('team')).toBe('a');
    clock += 60_000;
    expect(await states()).toEqual([]);
    expect((await refusal(describe(client, { InstanceIds }))).name).toBe('InvalidInstanceID.NotFound');
  });

  it.each([
    ['no image', { MinCount: 1, MaxCount: 1 }, 'MissingParameter'],
    ['fewer than the least', { ImageId: 'ami-1', MinCount: 2, MaxCount: 1 }, 'InvalidParameterValue'],
    ['too many', { ImageId: 'ami-1', MinCount: 1001, MaxCount: 1001 }, 'InstanceLimitExceeded'],
    [
      'a bad tag',
      {
        ImageId: 'ami-1',
        MinCount: 1,
        MaxCount: 1,
        TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'aws:x', Value: '' }] }],
      },
      'InvalidParameterValue',
    ],
  ])('does not start with %s', async (_, input, name) => {
    expect(await refusal(client.send(new RunInstancesCommand(input)))).toEqual({ name, status: 400 });
    expect(await states()).toEqual([]);
  });

  it('keeps accounts apart', async () => {
    await run(1);
    const other = clientOf(simulator.url, 'eu-central-1', 'other-key');
    expect((await describe(other)).instances).toEqual([]);
    const [mine] = simulator.fleet.run({ region: 'eu-central-1', count: 1, account: '210987654321' });
    expect(idsOf((await describe(other)).instances)).toEqual([mine?.id]);
    expect((await describe(client)).instances).toHaveLength(1);
    other.destroy();
  });
});
