import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { compileSelector, selectorProblem } from '@tagplane/labels';
import type { CompiledSelector } from '@tagplane/labels';
import { selectorFromMessage } from '@tagplane/protocol';
import type { ListNodesRequest, NodeService } from '@tagplane/protocol';
import { readPage } from './page.ts';
import { readableNode } from './readable.ts';
import type { RouteContext } from './route-context.ts';

type ListNodes = ServiceImpl<typeof NodeService>['listNodes'];

export function listNodes(routes: RouteContext): ListNodes {
  return async (request, { signal }) => {
    const now = Date.now();
    const selector = selectorOf(request);
    const read = (entry: Parameters<typeof readableNode>[0]) => readableNode(entry, routes, now, selector);
    const page = await readPage(routes.stores.nodes, request, read, signal);
    return { nodes: page.items, nextPageToken: page.nextPageToken };
  };
}

function selectorOf(request: ListNodesRequest): CompiledSelector | undefined {
  if (request.selector === undefined) return undefined;
  const selector = selectorFromMessage(request.selector);
  const problem = selectorProblem(selector);
  if (problem !== undefined) throw new ConnectError(`selector: ${problem}`, Code.InvalidArgument);
  return compileSelector(selector);
}
