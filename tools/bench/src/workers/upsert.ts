// Writes ServerInfos in batches: through the API, or as bare ioredis pipelines of the same size.
import { UpsertStatus, createClientConnection, upsertDrafts } from '@tagplane/protocol';
import { draftOf as draftToSend } from '@tagplane/serverinfo';
import { Redis } from 'ioredis';
import { draftOf, foundOf, inBatches } from '../fleet.ts';
import type { UpsertWork } from '../upsert-work.ts';
import { answer, cpuSecondsOf, measured, workerArgument } from '../worker.ts';

const { how, url, port, pid, warmUp, total } = workerArgument() as UpsertWork;
const BATCHES = { size: 100, inFlight: 8 };
const TTL_MS = 90 * 60 * 1_000;
/** As the store trims its feed. */
const FEED_LENGTH = 200_000;

interface Work extends Disposable {
  /** Writes as many of the items from this one on. */
  write(start: number, count: number): Promise<void>;
}

async function bare(): Promise<Work> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  const items = Array.from({ length: warmUp + total }, (_, index) => {
    const draft = draftOf(index, 1);
    return { key: `bare:${draft.name}`, member: draft.name, value: JSON.stringify([...draft.labels].flat()) };
  });
  const write = (start: number, count: number): Promise<void> =>
    inBatches(count, BATCHES, async (from, to) => {
      const pipeline = redis.pipeline();
      for (const { key, member, value } of items.slice(start + from, start + to)) {
        pipeline.set(key, value, 'PX', TTL_MS);
        pipeline.zadd('bare-index', 0, member);
        if (how === 'bare-pair') continue;
        pipeline.zadd('bare-expiry', Date.now() + TTL_MS, member);
        pipeline.xadd('bare-feed', 'MAXLEN', '~', FEED_LENGTH, '*', 'put', member);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    });
  return {
    write,
    [Symbol.dispose]() {
      redis.disconnect();
    },
  };
}

function ours(): Work {
  const connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    security: { mode: 'insecure', peer: { role: 'discovery', name: 'bench', proof: 'claimed' } },
    timeoutMs: 60_000,
  });
  // Kept between scans as discovery keeps them, and made into drafts when they leave.
  const found = Array.from({ length: warmUp + total }, (_, index) => foundOf(index, 1));
  const write = (start: number, count: number): Promise<void> =>
    inBatches(count, BATCHES, async (from, to) => {
      const drafts = found.slice(start + from, start + to).map((instance) => draftToSend(instance, TTL_MS));
      const { results } = await upsertDrafts(connection.transport, drafts);
      const refused = results.find(({ status }) => status !== UpsertStatus.ACCEPTED);
      if (refused !== undefined) throw new Error(`an item was refused: ${refused.reason}`);
    });
  return {
    write,
    [Symbol.dispose]() {
      connection[Symbol.dispose]();
    },
  };
}

const work = how === 'ours' ? ours() : await bare();
await work.write(0, warmUp);
const serverBefore = pid === undefined ? 0 : cpuSecondsOf(pid);
const { cost } = await measured(() => work.write(warmUp, total));
const serverCpuSeconds = pid === undefined ? 0 : cpuSecondsOf(pid) - serverBefore;
work[Symbol.dispose]();
answer({ cost, serverCpuSeconds });
