import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import { clientOf, refusal } from '../testing/client.ts';
import { bucketOf } from './buckets.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('bucketOf', () => {
  it.each([
    ['DescribeInstances', 'MaxResults=5', 'DescribeInstances', 100, 20],
    ['DescribeInstances', 'NextToken=x', 'DescribeInstances', 100, 20],
    ['DescribeInstances', 'Filter.1.Name=x', 'DescribeInstances', 100, 20],
    ['DescribeInstances', 'InstanceId.1=x', 'DescribeInstances', 100, 20],
    ['DescribeInstances', '', 'DescribeInstances unpaged', 50, 10],
    ['RunInstances', 'MaxCount=5', 'RunInstances', 5, 2],
    ['StopInstances', '', 'StopInstances', 50, 5],
    ['CreateTags', '', 'CreateTags', 100, 10],
  ])('%s with %j takes from %s: %d, %d a second', (action, parameters, name, size, refill) => {
    expect(bucketOf(action, new URLSearchParams(parameters))).toEqual({ name, size: { size, refill } });
  });
});

describe('token buckets', () => {
  let simulator: RunningSimulator;
  let now = NOW;

  beforeEach(async () => {
    now = NOW;
    const accounts = new Map([['other', '222222222222']]);
    simulator = await createEc2Simulator({ instances: 0, quotas: true, accounts, now: () => now }).listen();
  });

  afterEach(() => simulator.close());

  async function burst(count: number, key = 'any', region = 'eu-central-1'): Promise<number> {
    const client = clientOf(simulator.url, region, key);
    let refused = 0;
    for (let n = 0; n < count; n += 1) {
      const answer = client.send(new DescribeInstancesCommand({ MaxResults: 5 }));
      await answer.catch(async () => {
        refused += 1;
        expect(await refusal(answer)).toEqual({ name: 'RequestLimitExceeded', status: 503 });
      });
    }
    client.destroy();
    return refused;
  }

  it('hold a hundred paged describes, refill twenty a second, by account and region', async () => {
    expect(await burst(103)).toBe(3);
    expect(await burst(3, 'other')).toBe(0);
    expect(await burst(3, 'any', 'us-east-1')).toBe(0);
    now += 500;
    expect(await burst(11)).toBe(1);
    const [usage, other] = simulator.fleet.report().quotas;
    expect(usage).toEqual({
      ...{ account: '123456789012', region: 'eu-central-1', bucket: 'DescribeInstances' },
      ...{ size: 100, refill: 20, taken: 110, refused: 4, least: 0 },
    });
    expect(other).toMatchObject({ account: '222222222222', taken: 3, refused: 0, least: 97 });
  });

  it('only count when they are not to refuse', async () => {
    simulator.fleet.quotas.enforced = false;
    expect(await burst(102)).toBe(0);
    expect(simulator.fleet.report().quotas[0]).toMatchObject({ taken: 102, refused: 2 });
  });
});
