import type { ServiceImpl } from '@connectrpc/connect';
import { serverInfoToMessage } from '@tagplane/protocol';
import type { ServerInfoService } from '@tagplane/protocol';
import { ServerInfoDecodeError, decodeServerInfo } from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import type { Entry } from '@tagplane/store';
import { readPage } from './page.ts';
import type { RouteContext } from './route-context.ts';

type List = ServiceImpl<typeof ServerInfoService>['listServerInfos'];

/** The key order of the store is the order of the list: assigned ones first, then discovered ones. */
export function listServerInfos(routes: RouteContext): List {
  const { serverInfos } = routes.stores;
  return async (request, { signal }) => {
    const read = (entry: Entry) => {
      const info = readable(entry, routes);
      if (info === undefined || (request.origin !== '' && info.origin !== request.origin)) return undefined;
      return serverInfoToMessage(info);
    };
    // Before the list: see UpsertServerInfos.
    const storeEpoch = await serverInfos.epoch({ signal });
    const page = await readPage(serverInfos, request, read, signal);
    return { serverInfos: page.items, nextPageToken: page.nextPageToken, storeEpoch };
  };
}

/** An item that a newer version wrote must not make the whole list fail. */
function readable(entry: Entry, { metrics, log }: RouteContext): ServerInfo | undefined {
  try {
    return decodeServerInfo(entry);
  } catch (error) {
    if (!(error instanceof ServerInfoDecodeError)) throw error;
    metrics.unreadable.inc({ kind: 'server-info' });
    log.debug({ event: 'server_info_unreadable', key: entry.key, reason: error.message });
    return undefined;
  }
}
