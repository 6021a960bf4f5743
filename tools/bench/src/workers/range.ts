// Reads ServerInfos back in pages of 100: as the sweep does, or with bare ZRANGE BYLEX and MGET.
import { DISCOVERED_PREFIX, decodeServerInfo } from '@tagplane/serverinfo';
import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { Redis } from 'ioredis';
import { answer, measured, workerArgument } from '../worker.ts';

const { how, url } = workerArgument() as { how: 'bare' | 'ours'; url: string };
const PAGE = 100;

async function bare(): Promise<number> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  let [read, after] = [0, '-'];
  for (;;) {
    const members = await redis.zrange('bare-index', after, '+', 'BYLEX', 'LIMIT', 0, PAGE);
    if (members.length === 0) break;
    const values = await redis.mget(members.map((member) => `bare:${member}`));
    read += values.filter((value) => value !== null).length;
    after = `(${members.at(-1) ?? ''}`;
  }
  await redis.quit();
  return read;
}

async function ours(): Promise<number> {
  await using connection = connectRedis(url);
  await using store = createRedisStore(connection, { kind: 'server-info' });
  const { signal } = new AbortController();
  let read = 0;
  let after: string | undefined;
  for (;;) {
    const page = await store.range(
      { prefix: DISCOVERED_PREFIX, limit: PAGE, ...(after === undefined ? {} : { after }) },
      { signal },
    );
    for (const entry of page) {
      if (decodeServerInfo(entry).labels.size > 0) read += 1;
    }
    if (page.length < PAGE) return read;
    after = page.at(-1)?.key;
  }
}

const { cost, result } = await measured(how === 'bare' ? bare : ours);
answer({ cost, read: result });
