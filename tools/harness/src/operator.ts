import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import type { Node, ServerInfo } from '@tagplane/protocol';
import { NodeService, ServerInfoService, StatusService, createClientConnection } from '@tagplane/protocol';

/** An operator's view of a running auth service. */
export interface Operator extends Disposable {
  readonly nodes: Client<typeof NodeService>;
  readonly serverInfos: Client<typeof ServerInfoService>;
  readonly status: Client<typeof StatusService>;
  /** All nodes, page by page. */
  listNodes(): Promise<Node[]>;
  /** All ServerInfos, page by page. */
  listServerInfos(): Promise<ServerInfo[]>;
}

export function connectOperator(port: number): Operator {
  const connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    security: { mode: 'insecure', peer: { role: 'operator', name: 'harness', proof: 'claimed' } },
  });
  const nodes = createClient(NodeService, connection.transport);
  const serverInfos = createClient(ServerInfoService, connection.transport);
  return {
    nodes,
    serverInfos,
    status: createClient(StatusService, connection.transport),
    listNodes: () =>
      allPages(async (pageToken) => {
        const page = await nodes.listNodes({ pageSize: 1_000, pageToken });
        return [page.nodes, page.nextPageToken];
      }),
    listServerInfos: () =>
      allPages(async (pageToken) => {
        const page = await serverInfos.listServerInfos({ pageSize: 1_000, pageToken });
        return [page.serverInfos, page.nextPageToken];
      }),
    [Symbol.dispose]() {
      connection[Symbol.dispose]();
    },
  };
}

async function allPages<Item>(read: (token: string) => Promise<[Item[], string]>): Promise<Item[]> {
  const all: Item[] = [];
  let token = '';
  do {
    const [items, next] = await read(token);
    all.push(...items);
    token = next;
  } while (token !== '');
  return all;
}
