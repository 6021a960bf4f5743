import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import type { Store } from '@tagplane/store';
import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { startRedis } from '@tagplane/store-redis/testing';
import { startAgents } from '../agents.ts';
import type { BareReport } from '../bare-server.ts';
import type { Measured, Sample } from '../figure.ts';
import { draftOf, inBatches } from '../fleet.ts';
import { startAuth } from '../servers.ts';
import type { Suite } from '../suite.ts';
import { cpuSecondsOf, rssMiBOf } from '../worker.ts';

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
  const child = fork(fileURLToPath(new URL(`../workers/${module}.ts`, import.meta.url)), [], {
    execArgv: ['--conditions=@tagplane/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const next = (): Promise<BareReport> =>
    new Promise((resolve) =>
      child.once('message', (message) => {
        resolve(message as BareReport);
      }),
    );
  try {
    const listening = await next();
    if (listening.type !== 'listening') throw new Error(`${module} did not listen`);
    const pid = child.pid ?? Number.NaN;
    return await measurePush(pid, listening.port, async (generation) => {
      const done = next();
      child.send(generation);
      await done;
    });
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
  }
}

async function ours(): Promise<PushCost> {
  await using redis = await startRedis();
  await using connection = connectRedis(redis.url);
  await using store = createRedisStore(connection, { kind: 'server-info' });
  await using auth = await startAuth(redis.url);
  return await measurePush(auth.process.pid, auth.port, (generation) => writeAll(store, generation));
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

/** Waits until the process has used less than 20 ms of CPU in half a second. */
async function settled(pid: number): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const before = cpuSecondsOf(pid);
    await delay(500);
    if (cpuSecondsOf(pid) - before < 0.02) return;
  }
}

/** Writes to the store as another auth process would: what is measured is the push alone. */
async function writeAll(store: Store, generation: number): Promise<void> {
  const { signal } = new AbortController();
  await inBatches(AGENTS, { size: 100, inFlight: 4 }, async (from, to) => {
    const items = Array.from({ length: to - from }, (_, offset) => {
      const { ttlMs, ...draft } = draftOf(from + offset, generation);
      const value = encodeServerInfo({ ...draft, origin: 'discovery/bench' });
      return { key: serverInfoKey(draft.name), value, ttlMs };
    });
    await store.put(items, { signal });
  });
}
