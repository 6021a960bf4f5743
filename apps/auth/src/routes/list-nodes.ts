import type { ServiceImpl } from '@connectrpc/connect';
import type { NodeService } from '@tagplane/protocol';
import { readPage } from './page.ts';
import { readableNode } from './readable.ts';
import type { RouteContext } from './route-context.ts';

type ListNodes = ServiceImpl<typeof NodeService>['listNodes'];

export function listNodes(routes: RouteContext): ListNodes {
  return async (request, { signal }) => {
    const now = Date.now();
    const read = (entry: Parameters<typeof readableNode>[0]) => readableNode(entry, routes, now);
    const page = await readPage(routes.stores.nodes, request, read, signal);
    return { nodes: page.items, nextPageToken: page.nextPageToken };
  };
}
