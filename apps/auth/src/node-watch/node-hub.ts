import { create } from '@bufbuild/protobuf';
import { WatchNodesResponseSchema } from '@tagplane/protocol';
import type { Node, WatchNodesResponse } from '@tagplane/protocol';
import { SECOND, isAbort } from '@tagplane/runtime';
import type { Logger, ReadinessCheck } from '@tagplane/runtime';
import { followFeed } from '@tagplane/store';
import type { Change, Entry, Store } from '@tagplane/store';
import type { AuthMetrics } from '../metrics.ts';
import { NodeWatcher } from './node-watcher.ts';
import type { NodeEvent } from './node-watcher.ts';

export interface NodeHubOptions {
  readonly store: Store;
  /** The node in an entry; undefined when this version cannot read it. */
  readonly read: (entry: Entry) => Node | undefined;
  readonly metrics: AuthMetrics;
  readonly log: Logger;
  /** Default 64: people and dashboards, not agents. */
  readonly maxWatchers?: number;
  /** Default 10,000: every node of a full process may change once while a client is not reading. */
  readonly maxPending?: number;
}

const READ_SIZE = 250;
/**
 * A feed that is read again says nothing until there is a change; one that is not fails again within
 * the store's deadline of 5 s.
 */
const ATTEMPT_MS = 6 * SECOND;

/** Follows the feed of the node store once, for all watchers of this process. */
export class NodeHub {
  readonly #options: Required<NodeHubOptions>;
  readonly #watchers = new Set<NodeWatcher>();
  #started = false;
  #problem = { reason: '', until: 0 };

  constructor(options: NodeHubOptions) {
    this.#options = { maxWatchers: 64, maxPending: 10_000, ...options };
  }

  readiness(): ReadinessCheck {
    const { reason, until } = this.#problem;
    if (Date.now() < until) return { name: 'node_feed', ready: false, reason };
    if (!this.#started) return { name: 'node_feed', ready: false, reason: 'not read yet' };
    return { name: 'node_feed', ready: true };
  }

  /**
   * Everything about all nodes, until the signal aborts. Undefined when there are too many watches.
   */
  watch(signal: AbortSignal): AsyncIterable<WatchNodesResponse> | undefined {
    if (this.#watchers.size >= this.#options.maxWatchers) return undefined;
    const watcher = new NodeWatcher((stop) => this.#list(stop), this.#options.maxPending);
    return this.#watch(watcher, signal);
  }

  /** Follows the feed until the signal aborts; outages are waited out. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, metrics } = this.#options;
    await followFeed(
      store,
      {
        reset: () => {
          this.#started = true;
          metrics.nodeWatchRestarts.inc(this.#watchers.size);
          for (const watcher of this.#watchers) watcher.restart();
        },
        changes: async (changes) => {
          if (this.#watchers.size > 0) await this.#publish(changes, signal);
        },
        unavailable: ({ message }, retryMs) => {
          this.#problem = { reason: message, until: Date.now() + retryMs + ATTEMPT_MS };
        },
      },
      { signal },
    );
  }

  async #publish(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const latest = new Map(changes.map((change) => [change.key, change]));
    for (const event of await this.#eventsOf([...latest.values()], signal)) this.#offer(event);
  }

  #offer(event: NodeEvent): void {
    for (const watcher of this.#watchers) {
      if (!watcher.offer(event)) this.#options.metrics.nodeWatchRestarts.inc();
    }
  }

  async #eventsOf(changes: readonly Change[], signal: AbortSignal): Promise<NodeEvent[]> {
    const events = changes
      .filter(({ type }) => type !== 'put')
      .map(({ key, revision }) => removedEvent(key, revision));
    const written = changes.filter(({ type }) => type === 'put').map(({ key }) => key);
    for (let start = 0; start < written.length; start += READ_SIZE) {
      const keys = written.slice(start, start + READ_SIZE);
      for (const found of await this.#options.store.getMany(keys, { signal })) {
        // What is not live any more has a change of its own, further on.
        const event = found.state === 'live' ? this.#nodeEvent(found) : undefined;
        if (event !== undefined) events.push(event);
      }
    }
    return events;
  }

  async *#list(signal: AbortSignal): AsyncGenerator<readonly NodeEvent[], void> {
    let after = '';
    for (;;) {
      const range = { prefix: '', limit: READ_SIZE, ...(after === '' ? {} : { after }) };
      const entries = await this.#options.store.range(range, { signal });
      yield entries.map((entry) => this.#nodeEvent(entry)).filter((event) => event !== undefined);
      if (entries.length < READ_SIZE) return;
      after = entries.at(-1)?.key ?? '';
    }
  }

  #nodeEvent(entry: Entry): NodeEvent | undefined {
    const node = this.#options.read(entry);
    if (node === undefined) return undefined;
    const message = create(WatchNodesResponseSchema, { event: { case: 'node', value: node } });
    return { serverId: entry.key, revision: entry.revision, message };
  }

  async *#watch(watcher: NodeWatcher, signal: AbortSignal): AsyncGenerator<WatchNodesResponse, void> {
    this.#watchers.add(watcher);
    this.#options.metrics.nodeWatchers.set(this.#watchers.size);
    try {
      yield* watcher.events(signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      this.#watchers.delete(watcher);
      this.#options.metrics.nodeWatchers.set(this.#watchers.size);
    }
  }
}

function removedEvent(serverId: string, revision: number): NodeEvent {
  const message = create(WatchNodesResponseSchema, { event: { case: 'removedServerId', value: serverId } });
  return { serverId, revision, message };
}
