// Writes ServerInfos in batches: through the API, or as bare ioredis pipelines of the same size.
import { createClient } from '@connectrpc/connect';
import { ServerInfoService, UpsertStatus, createClientConnection, upsertDrafts } from '@tagplane/protocol';
import { draftOf as draftToSend } from '@tagplane/serverinfo';
import { Redis } from 'ioredis';
import { draftOf, foundOf, inBatches } from '../fleet.ts';
import { answer, measured, workerArgument } from '../worker.ts';

const { how, url, port, total } = workerArgument() as {
  how: 'bare' | 'ours';
  url: string;
  port: number;
  total: number;
};
const BATCHES = { size: 100, inFlight: 8 };
const TTL_MS = 90 * 60 * 1_000;

async function bare(): Promise<() => Promise<void>> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  const items = Array.from({ length: total }, (_, index) => {
    const draft = draftOf(index, 1);
    return { key: `bare:${draft.name}`, member: draft.name, value: JSON.stringify([...draft.labels].flat()) };
  });
  return async () => {
    await inBatches(total, BATCHES, async (from, to) => {
      const pipeline = redis.pipeline();
      for (const { key, member, value } of items.slice(from, to)) {
        pipeline.set(key, value, 'PX', TTL_MS);
        pipeline.zadd('bare-index', 0, member);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    });
    await redis.quit();
  };
}

async function ours(): Promise<() => Promise<void>> {
  const connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    peer: { role: 'discovery', name: 'bench', proof: 'claimed' },
    timeoutMs: 60_000,
  });
  const client = createClient(ServerInfoService, connection.transport);
  // Kept between scans as discovery keeps them, and made into drafts when they leave.
  const found = Array.from({ length: total }, (_, index) => foundOf(index, 1));
  await client.listServerInfos({ pageSize: 1 });
  return async () => {
    await inBatches(total, BATCHES, async (from, to) => {
      const drafts = found.slice(from, to).map((instance) => draftToSend(instance, TTL_MS));
      const { results } = await upsertDrafts(connection.transport, drafts);
      const refused = results.find(({ status }) => status !== UpsertStatus.ACCEPTED);
      if (refused !== undefined) throw new Error(`an item was refused: ${refused.reason}`);
    });
    connection[Symbol.dispose]();
  };
}

const work = how === 'bare' ? await bare() : await ours();
const { cost } = await measured(work);
answer({ cost });
