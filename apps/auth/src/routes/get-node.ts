import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { parseServerId } from '@tagplane/identity';
import type { NodeService } from '@tagplane/protocol';
import { nodeMessage } from './node-message.ts';
import type { RouteContext } from './route-context.ts';

type GetNode = ServiceImpl<typeof NodeService>['getNode'];

export function getNode({ stores }: RouteContext): GetNode {
  return async ({ serverId }, { signal }) => {
    const key = parseServerId(serverId);
    const [found] = key === undefined ? [] : await stores.nodes.getMany([key], { signal });
    if (found?.state !== 'live') throw new ConnectError('there is no node of this server id', Code.NotFound);
    return { node: nodeMessage(found, Date.now()) };
  };
}
