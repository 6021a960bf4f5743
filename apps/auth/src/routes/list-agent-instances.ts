import type { ServiceImpl } from '@connectrpc/connect';
import { instanceToMessage } from '@tagplane/protocol';
import type { DiscoveryService } from '@tagplane/protocol';
import type { Entry } from '@tagplane/store';
import { instanceOfNode } from '../discovery/agent-instances.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { readPage } from './page.ts';

type ListAgentInstances = ServiceImpl<typeof DiscoveryService>['listAgentInstances'];

const DEFAULT_PAGE_SIZE = 1_000;

/** Instances only: a discovery sees nothing else of nodes. */
export function listAgentInstances({ stores }: DiscoveryContext): ListAgentInstances {
  return async ({ pageSize, pageToken }, { signal }) => {
    const request = { pageSize: pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize, pageToken };
    const read = (entry: Entry) => {
      const instance = instanceOfNode(entry);
      return instance && instanceToMessage(instance);
    };
    const page = await readPage(stores.nodes, request, read, signal);
    return { instances: page.items, nextPageToken: page.nextPageToken };
  };
}
