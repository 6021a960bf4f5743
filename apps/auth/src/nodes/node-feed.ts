import { SECOND, sleep } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { followFeed } from '@tagplane/store';
import type { ControlMetrics } from '../control/metrics.ts';
import type { NodeWriter, RecordSource } from './node-writer.ts';

export interface NodeFeedOptions {
  readonly store: Store;
  readonly writer: NodeWriter;
  readonly metrics: ControlMetrics;
  /** The live session of a server id in this process. */
  readonly sessionOf: (serverId: string) => RecordSource | undefined;
  readonly sessions: () => Iterable<RecordSource>;
}

/** Most changes in the feed are this process's own writes, whose answers arrive within this. */
const SETTLE_MS = 50;
const PAGE = 200;
/** A reset looks at 1,000 nodes a second, beside everything else. */
const PAGE_INTERVAL_MS = SECOND / 5;

/**
 * Watches nodes' records for a newer session of a server id that this process holds, on another one.
 * Runs until the signal aborts.
 */
export async function followNodes(options: NodeFeedOptions, signal: AbortSignal): Promise<void> {
  const { store, writer, metrics, sessionOf } = options;
  const check = async (sources: readonly RecordSource[], pause: number): Promise<void> => {
    for (let start = 0; start < sources.length; start += PAGE) {
      const own = await writer.checkOwners(sources.slice(start, start + PAGE), signal);
      // A store that was emptied gets the nodes back at once, not with their next heartbeats.
      for (const source of own) if (source.recordRevision === undefined) writer.mark(source);
      if (start + PAGE < sources.length) await sleep(pause, signal);
    }
  };
  await followFeed(
    store,
    {
      async reset() {
        metrics.feedReset('node');
        const written = [...options.sessions()].filter((source) => source.recordRevision !== undefined);
        await check(written, PAGE_INTERVAL_MS);
      },
      async changes(changes) {
        const suspects = new Map<RecordSource, number>();
        for (const { type, key, revision } of changes) {
          const source = type === 'put' ? sessionOf(key) : undefined;
          if (source !== undefined && isForeign(source, revision)) suspects.set(source, revision);
        }
        if (suspects.size === 0) return;
        await sleep(SETTLE_MS, signal);
        await check(
          [...suspects].filter(([source, revision]) => isForeign(source, revision)).map(([source]) => source),
          0,
        );
      },
      unavailable() {
        metrics.feedFailures('node');
      },
    },
    { signal },
  );
}

/** Before its first write a session takes the record over anyway. */
function isForeign(source: RecordSource, revision: number): boolean {
  return source.recordRevision !== undefined && revision > source.recordRevision;
}
