import type { ServiceImpl } from '@connectrpc/connect';
import { serverInfoToMessage } from '@tagplane/protocol';
import type { ServerInfoService } from '@tagplane/protocol';
import { isServerInfoKey } from '@tagplane/serverinfo';
import type { Entry } from '@tagplane/store';
import { readPage } from './page.ts';
import { readableServerInfo } from './readable.ts';
import type { RouteContext } from './route-context.ts';

type List = ServiceImpl<typeof ServerInfoService>['listServerInfos'];

/** The key order of the store is the order of the list: assigned ones first, then discovered ones. */
export function listServerInfos(routes: RouteContext): List {
  const { serverInfos } = routes.stores;
  return async (request, { signal }) => {
    const read = (entry: Entry) => {
      // Leases are kept here too.
      if (!isServerInfoKey(entry.key)) return undefined;
      const info = readableServerInfo(entry, routes);
      if (info === undefined || (request.origin !== '' && info.origin !== request.origin)) return undefined;
      if (request.rejectedOnly && (info.rejected ?? []).length === 0) return undefined;
      return serverInfoToMessage(info);
    };
    // Before the list: see UpsertServerInfos.
    const storeEpoch = await serverInfos.epoch({ signal });
    const page = await readPage(serverInfos, request, read, signal);
    return { serverInfos: page.items, nextPageToken: page.nextPageToken, storeEpoch };
  };
}
