import { startRedis } from '@tagplane/store-redis/testing';
import type { Sample } from '../figure.ts';
import { startAuth } from '../servers.ts';
import type { Suite } from '../suite.ts';
import type { Cost } from '../worker.ts';
import { runWorker } from '../worker.ts';

const TOTAL = 100_000;

/** UPSERT: ServerInfos through the API into Redis, beside pipelines of SET PX and ZADD. */
export const upsertSuite: Suite = async ({ runs }) => {
  const rates: Sample[] = [];
  const cpu: Sample[] = [];
  for (let run = 0; run < runs; run += 1) {
    await using redis = await startRedis();
    const floor = await upsert({ how: 'bare', url: redis.url, port: 0, total: TOTAL });
    await redis.restart({ empty: true });
    await using auth = await startAuth(redis.url);
    const { port, process } = auth;
    const ours = await upsert({ how: 'ours', url: redis.url, port, pid: process.pid, total: TOTAL });
    rates.push({ value: TOTAL / ours.wallSeconds, floor: TOTAL / floor.wallSeconds });
    cpu.push({ value: ours.cpuSeconds, floor: floor.cpuSeconds });
  }
  return [
    {
      name: 'upsert 100,000 in batches of 100: rate',
      unit: '/s',
      samples: rates,
      goal: { of: 'ratio', at: 'least', bound: 0.4 },
    },
    { name: 'upsert 100,000: CPU, client and auth', unit: 's', samples: cpu },
  ];
};

/** CPU of the worker and of the server that it was told of. */
async function upsert(argument: object): Promise<Pick<Cost, 'wallSeconds' | 'cpuSeconds'>> {
  const { cost, serverCpuSeconds } = await runWorker<{ cost: Cost; serverCpuSeconds: number }>(
    'upsert',
    argument,
  );
  return { wallSeconds: cost.wallSeconds, cpuSeconds: cost.cpuSeconds + serverCpuSeconds };
}
