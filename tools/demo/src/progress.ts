import type { Node, WatchNodesResponse } from '@tagplane/protocol';
import { SyncState, WatchMark } from '@tagplane/protocol';

/** How far the demo has come. */
export interface Progress {
  readonly instances: number;
  readonly serverInfos: number;
  readonly agents: number;
  readonly labelled: number;
}

/** Whether the node acknowledged labels from EC2 and has what it should have. */
export function isLabelled(node: Node): boolean {
  return (
    node.sync?.state === SyncState.SYNCED && Object.keys(node.labels).some((key) => key.startsWith('aws/'))
  );
}

/** The nodes as a watch tells of them. */
export class NodeBoard {
  readonly #nodes = new Map<string, Node>();

  apply({ event }: WatchNodesResponse): void {
    if (event.case === 'node') this.#nodes.set(event.value.serverId, event.value);
    if (event.case === 'removedServerId') this.#nodes.delete(event.value);
    if (event.case === 'mark' && event.value === WatchMark.RESTARTED) this.#nodes.clear();
  }

  get connected(): number {
    return [...this.#nodes.values()].filter((node) => node.connected).length;
  }

  get labelled(): number {
    return [...this.#nodes.values()].filter(isLabelled).length;
  }

  /** Whether this node has acknowledged this label. */
  holds(serverId: string, key: string, value: string): boolean {
    const node = this.#nodes.get(serverId);
    return node !== undefined && isLabelled(node) && node.labels[key] === value;
  }
}
