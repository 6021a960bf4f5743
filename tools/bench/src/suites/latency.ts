import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { ServerInfoService, createClientConnection, draftToMessage } from '@tagplane/protocol';
import { startRedis } from '@tagplane/store-redis/testing';
import { startAgents } from '../agents.ts';
import type { Sample } from '../figure.ts';
import { draftOf } from '../fleet.ts';
import { startAuth } from '../servers.ts';
import type { Suite } from '../suite.ts';

const AGENTS = 1_000;
const CHANGES = 200;
/** Ten changes a second. */
const INTERVAL_MS = 100;

/** LATENCY: from the call of UpsertServerInfos to the agent's ack, ten changes a second. */
export const latencySuite: Suite = async ({ runs }) => {
  const p50: Sample[] = [];
  const p99: Sample[] = [];
  for (let run = 0; run < runs; run += 1) {
    const times = (await changesToAcks()).toSorted((a, b) => a - b);
    p50.push({ value: quantile(times, 0.5), floor: undefined });
    p99.push({ value: quantile(times, 0.99), floor: undefined });
  }
  return [
    { name: 'latency, 1,000 agents, 10 changes a second: p50', unit: 'ms', samples: p50 },
    {
      name: 'latency, 1,000 agents, 10 changes a second: p99',
      unit: 'ms',
      samples: p99,
      goal: { of: 'value', at: 'most', bound: 50 },
    },
  ];
};

async function changesToAcks(): Promise<number[]> {
  await using redis = await startRedis();
  await using auth = await startAuth(redis.url);
  using connection = createClientConnection({
    address: { host: '127.0.0.1', port: auth.port },
    security: { mode: 'insecure', peer: { role: 'discovery', name: 'bench', proof: 'claimed' } },
  });
  const client = createClient(ServerInfoService, connection.transport);
  for (let first = 0; first < AGENTS; first += 100) {
    const serverInfos = Array.from({ length: 100 }, (_, offset) =>
      draftToMessage(draftOf(first + offset, 1)),
    );
    await client.upsertServerInfos({ serverInfos });
  }
  await using agents = await startAgents({ port: auth.port, count: AGENTS });
  await agents.acked(1);
  const sentAt = new Map<string, number>();
  const times: number[] = [];
  agents.onAck(({ index, generation, at }) => {
    const sent = sentAt.get(`${generation}/${index}`);
    if (sent !== undefined) times.push(at - sent);
  });
  for (let change = 0; change < CHANGES; change += 1) {
    const [index, generation] = [(change * 37) % AGENTS, 2 + change];
    sentAt.set(`${generation}/${index}`, performance.timeOrigin + performance.now());
    await client.upsertServerInfos({ serverInfos: [draftToMessage(draftOf(index, generation))] });
    await delay(INTERVAL_MS);
  }
  await delay(1_000);
  if (times.length !== CHANGES) throw new Error(`${times.length} of ${CHANGES} changes were acknowledged`);
  return times;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
