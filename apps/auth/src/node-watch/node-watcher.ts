import { create } from '@bufbuild/protobuf';
import { WatchMark, WatchNodesResponseSchema } from '@tagplane/protocol';
import type { WatchNodesResponse } from '@tagplane/protocol';

/** A change of one node; the message is shared by all watchers. */
export interface NodeEvent {
  readonly serverId: string;
  /** The store's revision of the change. */
  readonly revision: number;
  readonly message: WatchNodesResponse;
}

/** Every node there is, page after page. */
export type ListNodeEvents = (signal: AbortSignal) => AsyncIterable<readonly NodeEvent[]>;

const RESTARTED = mark(WatchMark.RESTARTED);
const SYNCED = mark(WatchMark.SYNCED);

/**
 * One watch: a list, then changes. Changes wait here while the client reads, the latest of each node; a
 * client that leaves too many waiting gets a fresh list instead.
 */
export class NodeWatcher {
  readonly #list: ListNodeEvents;
  readonly #maxPending: number;
  readonly #pending = new Map<string, NodeEvent>();
  #stale = true;
  #wake: (() => void) | undefined;

  /** @param maxPending nodes whose changes may wait */
  constructor(list: ListNodeEvents, maxPending: number) {
    this.#list = list;
    this.#maxPending = maxPending;
  }

  /** @returns false when the watcher has fallen behind just now */
  offer(event: NodeEvent): boolean {
    if (this.#stale) return true;
    this.#pending.set(event.serverId, event);
    if (this.#pending.size > this.#maxPending) {
      this.restart();
      return false;
    }
    this.#wake?.();
    return true;
  }

  /** What was sent may be wrong: the client gets a fresh list. */
  restart(): void {
    this.#stale = true;
    this.#pending.clear();
    this.#wake?.();
  }

  /** Ends without an error when the signal aborts; rejects as the list does. */
  async *events(signal: AbortSignal): AsyncGenerator<WatchNodesResponse, void> {
    while (!signal.aborted) {
      if (this.#stale) yield* this.#fresh(signal);
      const [next] = this.#pending.values();
      if (next === undefined) {
        await this.#change(signal);
        continue;
      }
      this.#pending.delete(next.serverId);
      yield next.message;
    }
  }

  async *#fresh(signal: AbortSignal): AsyncGenerator<WatchNodesResponse, void> {
    // From here on changes are kept, so that none falls between the list and what follows it.
    this.#stale = false;
    yield RESTARTED;
    for await (const page of this.#list(signal)) {
      for (const { serverId, revision, message } of page) {
        const waiting = this.#pending.get(serverId);
        if (waiting !== undefined && waiting.revision <= revision) this.#pending.delete(serverId);
        yield message;
      }
      if (this.#isStale()) return;
    }
    yield SYNCED;
  }

  /** It may have become so at any `yield`, which the compiler does not see. */
  #isStale(): boolean {
    return this.#stale;
  }

  #change(signal: AbortSignal): Promise<void> {
    if (this.#stale || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function mark(value: WatchMark): WatchNodesResponse {
  return create(WatchNodesResponseSchema, { event: { case: 'mark', value } });
}
