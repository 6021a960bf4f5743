import { jsonText } from '../format/document.ts';
import type { NodeView, SyncStateName } from '../views/node.ts';
import type { FeedEvent } from './feed.ts';

/** What an event changed, for whoever shows changes one by one. */
export type Change =
  | { readonly event: 'node'; readonly node: NodeView }
  | { readonly event: 'removed'; readonly server_id: string }
  /** All nodes are known. */
  | { readonly event: 'synced'; readonly nodes: number }
  | { readonly event: 'lost'; readonly reason: string };

/** How the watch stands. */
export type Phase =
  | { readonly kind: 'listing' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly reason: string };

/**
 * The nodes as a watch knows them. Across a lost connection they stand until the new list is
 * complete: only then are those that it lacks gone.
 */
export class NodeTracker {
  #phase: Phase = { kind: 'listing' };
  readonly #nodes = new Map<string, NodeView>();
  readonly #states = new Map<SyncStateName, number>();
  #connected = 0;
  #listed: Set<string> | undefined;

  get phase(): Phase {
    return this.#phase;
  }

  get nodes(): ReadonlyMap<string, NodeView> {
    return this.#nodes;
  }

  get connected(): number {
    return this.#connected;
  }

  /** How many nodes are in each state. */
  get states(): ReadonlyMap<SyncStateName, number> {
    return this.#states;
  }

  /** Takes an event in; returns what changed by it, which may be nothing. */
  apply(event: FeedEvent): Change[] {
    switch (event.kind) {
      case 'list':
        this.#phase = { kind: 'listing' };
        this.#listed = new Set();
        return [];
      case 'node':
        this.#listed?.add(event.node.server_id);
        return this.#put(event.node);
      case 'removed':
        this.#listed?.delete(event.serverId);
        return this.#remove(event.serverId);
      case 'synced':
        return this.#synced();
      case 'lost':
        this.#phase = { kind: 'lost', reason: event.reason };
        this.#listed = undefined;
        return [{ event: 'lost', reason: event.reason }];
    }
  }

  #synced(): Change[] {
    const listed = this.#listed;
    const gone = listed === undefined ? [] : [...this.#nodes.keys()].filter((id) => !listed.has(id));
    this.#listed = undefined;
    this.#phase = { kind: 'live' };
    const changes = gone.flatMap((id) => this.#remove(id));
    return [...changes, { event: 'synced', nodes: this.#nodes.size }];
  }

  #put(node: NodeView): Change[] {
    const before = this.#nodes.get(node.server_id);
    this.#nodes.set(node.server_id, node);
    if (before !== undefined) this.#count(before, -1);
    this.#count(node, 1);
    return before !== undefined && sameButSeen(before, node) ? [] : [{ event: 'node', node }];
  }

  #remove(serverId: string): Change[] {
    const node = this.#nodes.get(serverId);
    if (node === undefined) return [];
    this.#nodes.delete(serverId);
    this.#count(node, -1);
    return [{ event: 'removed', server_id: serverId }];
  }

  #count(node: NodeView, by: 1 | -1): void {
    const { state } = node.sync;
    this.#states.set(state, (this.#states.get(state) ?? 0) + by);
    if (node.connected) this.#connected += by;
  }
}

/** Every heartbeat moves `last_seen`; that alone is no change worth a line. */
function sameButSeen(a: NodeView, b: NodeView): boolean {
  return jsonText({ ...a, last_seen: null }, 0) === jsonText({ ...b, last_seen: null }, 0);
}
