import { startRedis } from '@tagplane/store-redis/testing';
import type { Sample } from '../figure.ts';
import { startAuth } from '../servers.ts';
import type { Suite } from '../suite.ts';
import type { Cost } from '../worker.ts';
import { runWorker } from '../worker.ts';

const TOTAL = 100_000;

/** RANGE: all ServerInfos in pages of 100, decoded, beside bare ZRANGE BYLEX and MGET. */
export const rangeSuite: Suite = async ({ runs }) => {
  await using redis = await startRedis();
  const auth = await startAuth(redis.url);
  await runWorker('upsert', { how: 'bare-pair', url: redis.url, port: 0, warmUp: 0, total: TOTAL });
  await runWorker('upsert', { how: 'ours', url: redis.url, port: auth.port, warmUp: 0, total: TOTAL });
  await auth.process.stop();
  const rates: Sample[] = [];
  const cpu: Sample[] = [];
  for (let run = 0; run < runs; run += 1) {
    const floor = await readAll(redis.url, 'bare');
    const ours = await readAll(redis.url, 'ours');
    rates.push({ value: TOTAL / ours.wallSeconds, floor: TOTAL / floor.wallSeconds });
    cpu.push({ value: ours.cpuSeconds, floor: floor.cpuSeconds });
  }
  return [
    {
      name: 'range 100,000 in pages of 100: rate',
      unit: '/s',
      samples: rates,
      goal: { of: 'ratio', at: 'least', bound: 0.4 },
    },
    { name: 'range 100,000: CPU', unit: 's', samples: cpu },
  ];
};

async function readAll(url: string, how: 'bare' | 'ours'): Promise<Cost> {
  const { cost, read } = await runWorker<{ cost: Cost; read: number }>('range', { how, url });
  if (read !== TOTAL) throw new Error(`the ${how} range read ${read} of ${TOTAL}`);
  return cost;
}
