import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { startRedis } from '@tagplane/store-redis/testing';
import { startAgents } from '../agents.ts';
import { startBarePushes } from '../bare-pushes.ts';
import type { Measured, Sample } from '../figure.ts';
import { startAuth } from '../servers.ts';
import { writeLabels } from '../stored-labels.ts';
import type { Suite } from '../suite.ts';
import { cpuSecondsOf, rssMiBOf, settled } from '../worker.ts';

const AGENTS = 5_000;
const KIB = 1_024;

interface PushCost {
  /** The server's CPU for one push and ack, microseconds. */
  readonly cpuMicroseconds: number;
  /** The server's growth for one connected agent, KiB. */
  readonly rssKiB: number;
}

/** PUSH: one changed set of 1 KiB to each of 5,000 agents and every ack, beside bare streams. */
export const pushSuite: Suite = async ({ runs }) => {
  const costs: { connect: PushCost; http2: PushCost; ours: PushCost }[] = [];
  for (let run = 0; run < runs; run += 1) {
    costs.push({
      connect: await bare('bare-connect'),
      http2: await bare('bare-http2'),
      ours: await ours(),
    });
  }
  const samples = (read: (cost: PushCost) => number, subject: 'ours' | 'http2'): Sample[] =>
    costs.map((cost) => ({ value: read(cost[subject]), floor: read(cost.connect) }));
  const cpu = (cost: PushCost): number => cost.cpuMicroseconds;
  const rss = (cost: PushCost): number => cost.rssKiB;
  const figures: Measured[] = [
    {
      name: 'push 5,000: CPU per push and ack',
      unit: 'µs',
      samples: samples(cpu, 'ours'),
      goal: { of: 'ratio', at: 'most', bound: 1.3 },
    },
    {
      name: 'push 5,000: memory per agent',
      unit: 'KiB',
      samples: samples(rss, 'ours'),
      goal: { of: 'ratio', at: 'most', bound: 1.2 },
    },
    { name: 'push 5,000: CPU, bare node:http2', unit: 'µs', samples: samples(cpu, 'http2') },
    { name: 'push 5,000: memory, bare node:http2', unit: 'KiB', samples: samples(rss, 'http2') },
  ];
  return figures;
};

async function bare(module: 'bare-connect' | 'bare-http2'): Promise<PushCost> {
  await using server = await startBarePushes(module);
  return await measurePush(server.pid, server.port, (generation) => server.push(generation));
}

async function ours(): Promise<PushCost> {
  await using redis = await startRedis();
  await using connection = connectRedis(redis.url);
  await using store = createRedisStore(connection, { kind: 'server-info' });
  await using auth = await startAuth(redis.url);
  return await measurePush(auth.process.pid, auth.port, (generation) =>
    writeLabels(store, AGENTS, generation),
  );
}

/** Connects the agents, warms the path with one push, and measures the next. */
async function measurePush(
  pid: number,
  port: number,
  push: (generation: number) => Promise<void>,
): Promise<PushCost> {
  const rssBefore = rssMiBOf(pid);
  await using agents = await startAgents({ port, count: AGENTS });
  await settled(pid);
  const rss = rssMiBOf(pid) - rssBefore;
  await push(1);
  await agents.acked(1);
  await settled(pid);
  const cpuBefore = cpuSecondsOf(pid);
  await push(2);
  await agents.acked(2);
  await settled(pid);
  const cpu = cpuSecondsOf(pid) - cpuBefore;
  return { cpuMicroseconds: (cpu * 1e6) / AGENTS, rssKiB: (rss * KIB) / AGENTS };
}
