import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { serverInfoToMessage } from '@tagplane/protocol';
import type { ServerInfoService } from '@tagplane/protocol';
import { decodeServerInfo, isAssignedName, parseDiscoveredName, serverInfoKey } from '@tagplane/serverinfo';
import type { RouteContext } from './route-context.ts';

type Get = ServiceImpl<typeof ServerInfoService>['getServerInfo'];

export function getServerInfo({ stores }: RouteContext): Get {
  return async ({ name }, { signal }) => {
    const [found] = isServerInfoName(name)
      ? await stores.serverInfos.getMany([serverInfoKey(name)], { signal })
      : [];
    if (found?.state !== 'live') throw new ConnectError('there is no ServerInfo of this name', Code.NotFound);
    return { serverInfo: serverInfoToMessage(decodeServerInfo(found)) };
  };
}

/** Whether a ServerInfo could have this name; other text is not worth asking the store for. */
export function isServerInfoName(name: string): boolean {
  return isAssignedName(name) || parseDiscoveredName(name) !== undefined;
}
