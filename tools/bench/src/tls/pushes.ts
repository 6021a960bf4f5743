import { metricSum } from '@tagplane/harness';
import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { startRedis } from '@tagplane/store-redis/testing';
import { startAgents } from '../agents.ts';
import { startBarePushes } from '../bare-pushes.ts';
import type { Measured } from '../figure.ts';
import { writeLabels } from '../stored-labels.ts';
import { cpuSecondsOf, rssMiBOf, settled } from '../worker.ts';
import type { TlsCluster } from './cluster.ts';

/** Connected before memory is looked at, so that what a process grows by once is not put down to agents. */
const FIRST_AGENTS = 500;
const FURTHER_AGENTS = 1_500;
export const AGENTS = FIRST_AGENTS + FURTHER_AGENTS;
const KIB = 1_024;

interface Cost {
  /** The server's CPU for one push and ack, microseconds. */
  readonly cpuMicroseconds: number;
  /** The server's growth for one further agent, KiB. */
  readonly rssKiB: number;
}

interface Subject {
  readonly pid: number;
  readonly port: number;
  push(generation: number): Promise<void>;
  /** Looks at how agents come back. */
  reconnected?(reconnect: () => Promise<void>): Promise<void>;
}

/**
 * PUSH over mutual TLS: our auth service with its whole control plane, beside node:http2 over node's TLS
 * with envelopes by hand, which keeps nothing and decides nothing.
 */
export async function measurePushes(cluster: TlsCluster, runs: number): Promise<Measured[]> {
  const costs: { bare: Cost; ours: Cost; resumedPercent: number }[] = [];
  for (let run = 0; run < runs; run += 1) {
    costs.push({ bare: await bare(cluster), ...(await ours(cluster)) });
  }
  const agents = AGENTS.toLocaleString('en');
  return [
    {
      name: `TLS push ${agents}: CPU per push and ack`,
      unit: 'µs',
      samples: costs.map((cost) => ({ value: cost.ours.cpuMicroseconds, floor: cost.bare.cpuMicroseconds })),
      goal: { of: 'ratio', at: 'most', bound: 1.3 },
    },
    {
      name: `TLS push ${agents}: memory per agent`,
      unit: 'KiB',
      samples: costs.map((cost) => ({ value: cost.ours.rssKiB, floor: cost.bare.rssKiB })),
      goal: { of: 'ratio', at: 'most', bound: 1.7 },
    },
    {
      name: `TLS push ${agents}: agents that came back with their session`,
      unit: '%',
      samples: costs.map(({ resumedPercent }) => ({ value: resumedPercent, floor: undefined })),
      goal: { of: 'value', at: 'least', bound: 99 },
    },
  ];
}

async function bare({ fleetFile }: TlsCluster): Promise<Cost> {
  await using server = await startBarePushes('bare-http2', fleetFile);
  return await measurePush(server, fleetFile);
}

async function ours(cluster: TlsCluster): Promise<{ ours: Cost; resumedPercent: number }> {
  await using redis = await startRedis();
  await using connection = connectRedis(redis.url);
  await using store = createRedisStore(connection, { kind: 'server-info' });
  await using auth = await cluster.startAuth(redis.url);
  let resumedPercent = 0;
  const subject: Subject = {
    pid: auth.process.pid,
    port: auth.port,
    push: (generation) => writeLabels(store, AGENTS, generation),
    async reconnected(reconnect) {
      const before = await resumedHandshakes(auth.diagnosticsPort);
      await reconnect();
      resumedPercent = (100 * ((await resumedHandshakes(auth.diagnosticsPort)) - before)) / FURTHER_AGENTS;
    },
  };
  return { ours: await measurePush(subject, cluster.fleetFile), resumedPercent };
}

async function resumedHandshakes(diagnosticsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${diagnosticsPort}/metrics`)).text();
  return metricSum(text, 'tagplane_auth_handshakes_total', 'resumed="true"');
}

/** Connects the agents, warms the path with one push, and measures the next. */
async function measurePush(subject: Subject, fleetFile: string): Promise<Cost> {
  const { pid, port } = subject;
  await using first = await startAgents({ port, count: FIRST_AGENTS, fleetFile });
  await settled(pid);
  const rssBefore = rssMiBOf(pid);
  await using further = await startAgents({ port, first: FIRST_AGENTS, count: FURTHER_AGENTS, fleetFile });
  await settled(pid);
  const rss = rssMiBOf(pid) - rssBefore;
  await subject.reconnected?.(() => further.reconnect());
  const push = async (generation: number): Promise<void> => {
    await subject.push(generation);
    await Promise.all([first.acked(generation), further.acked(generation)]);
    await settled(pid);
  };
  await push(1);
  const cpuBefore = cpuSecondsOf(pid);
  await push(2);
  const cpu = cpuSecondsOf(pid) - cpuBefore;
  return { cpuMicroseconds: (cpu * 1e6) / AGENTS, rssKiB: (rss * KIB) / FURTHER_AGENTS };
}
