import { startRedis } from '@tagplane/store-redis/testing';
import type { Sample } from '../figure.ts';
import { startAuth } from '../servers.ts';
import type { Suite } from '../suite.ts';
import type { UpsertWork } from '../upsert-work.ts';
import type { Cost } from '../worker.ts';
import { runWorker } from '../worker.ts';

const SIZE = { warmUp: 20_000, total: 100_000 };

/** UPSERT: ServerInfos through the API into Redis, beside the same writes as bare pipelines. */
export const upsertSuite: Suite = async ({ runs }) => {
  const rates: Sample[] = [];
  const pairRates: Sample[] = [];
  const cpu: Sample[] = [];
  for (let run = 0; run < runs; run += 1) {
    await using redis = await startRedis();
    const bare = await upsert({ how: 'bare', url: redis.url, port: 0, ...SIZE });
    await redis.restart({ empty: true });
    const pair = await upsert({ how: 'bare-pair', url: redis.url, port: 0, ...SIZE });
    await redis.restart({ empty: true });
    await using auth = await startAuth(redis.url);
    const { port, process } = auth;
    const ours = await upsert({ how: 'ours', url: redis.url, port, pid: process.pid, ...SIZE });
    const rate = SIZE.total / ours.wallSeconds;
    rates.push({ value: rate, floor: SIZE.total / bare.wallSeconds });
    pairRates.push({ value: rate, floor: SIZE.total / pair.wallSeconds });
    cpu.push({ value: ours.cpuSeconds, floor: bare.cpuSeconds });
  }
  return [
    {
      name: 'upsert 100,000 in batches of 100: rate',
      unit: '/s',
      samples: rates,
      goal: { of: 'ratio', at: 'least', bound: 0.4 },
    },
    { name: 'upsert 100,000: rate, floor of SET and one ZADD only', unit: '/s', samples: pairRates },
    { name: 'upsert 100,000: CPU, client and auth', unit: 's', samples: cpu },
  ];
};

/** CPU of the worker and of the server that it was told of. */
async function upsert(work: UpsertWork): Promise<Pick<Cost, 'wallSeconds' | 'cpuSeconds'>> {
  const { cost, serverCpuSeconds } = await runWorker<{ cost: Cost; serverCpuSeconds: number }>(
    'upsert',
    work,
  );
  return { wallSeconds: cost.wallSeconds, cpuSeconds: cost.cpuSeconds + serverCpuSeconds };
}
