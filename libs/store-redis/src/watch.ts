import { StoreUnavailableError } from '@tagplane/store';
import type { Change, FeedBatch } from '@tagplane/store';
import type { Backend, Position } from './backend.ts';
import type { RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';
import type { Limits } from './within.ts';

/** The longest that one read blocks; then the position is checked, so that an emptied server is noticed. */
const BLOCK_MS = 5_000;
/** Entries of one read. */
const BATCH = 1_000;

/**
 * Follows the feed over a blocking connection of its own, until the signal aborts. Throws
 * StoreUnavailableError when that connection fails or the store is closed.
 */
export async function* watchFeed(
  backend: Backend,
  signal: AbortSignal,
  after: Position | undefined,
): AsyncGenerator<FeedBatch, void> {
  const end = AbortSignal.any([signal, backend.closed]);
  const { timeoutMs } = backend.limits(end);
  const limits = { signal: end, timeoutMs: timeoutMs + BLOCK_MS };
  await using reader = backend.connection.dedicate(BLOCK_MS);
  let position = after;
  try {
    for (;;) {
      const { held, ...last } = await backend.position(end, position);
      if (position === undefined || !held) {
        position = last;
        yield { type: 'reset', ...position };
      }
      for (;;) {
        const changes = await read(reader, limits, backend.keys.feed, position.revision);
        if (changes === undefined) break;
        position = { epoch: position.epoch, revision: changes.at(-1)?.revision ?? position.revision };
        yield { type: 'changes', changes };
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
}

/** The changes after a revision; undefined: nothing new, or the position must be checked. */
async function read(
  reader: RedisConnection,
  limits: Limits,
  feed: string,
  revision: number,
): Promise<readonly Change[] | undefined> {
  const id = `${revision}-0`;
  // Sent together: what is still there after the read was there during it, so that nothing between the
  // position and the entries was trimmed away.
  const [found, held] = await reader.run(limits, (client) =>
    Promise.all([readAfter(client, feed, id), client.xrange(feed, id, id)]),
  );
  const entries = found?.[0]?.[1];
  if (entries === undefined || held.length === 0) return undefined;
  const changes = entries.map(toChange);
  return changes.every((change) => change !== undefined) ? changes : undefined;
}

type StreamEntry = [id: string, fields: string[]];

function readAfter(client: RedisClient, feed: string, id: string): Promise<[string, StreamEntry[]][] | null> {
  return client.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', feed, id);
}

const TYPES: Readonly<Record<string, Change['type']>> = { p: 'put', d: 'deleted', x: 'expired' };

/** Undefined for the mark of a new epoch. */
function toChange([id, [type = '', key = '']]: StreamEntry): Change | undefined {
  if (type === 'e') return undefined;
  const name = TYPES[type];
  if (name === undefined)
    throw new StoreUnavailableError('the feed has an entry that this version does not know');
  return { type: name, key, revision: Number(id.slice(0, id.indexOf('-'))) };
}
