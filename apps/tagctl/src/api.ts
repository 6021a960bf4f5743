import type { Client } from '@connectrpc/connect';
import { createClient } from '@connectrpc/connect';
import { NodeService, ServerInfoService, StatusService, createClientConnection } from '@tagplane/protocol';
import type { Settings } from './settings.ts';

/** The auth service's API, as an operator uses it. */
export interface Api extends Disposable {
  readonly nodes: Client<typeof NodeService>;
  readonly serverInfos: Client<typeof ServerInfoService>;
  readonly status: Client<typeof StatusService>;
}

/** Connects on the first call, and again on the first call after a loss. */
export function openApi(settings: Settings): Api {
  const connection = createClientConnection({
    address: settings.address,
    timeoutMs: settings.timeoutMs,
    security: { mode: 'insecure', peer: settings.peer },
  });
  return {
    nodes: createClient(NodeService, connection.transport),
    serverInfos: createClient(ServerInfoService, connection.transport),
    status: createClient(StatusService, connection.transport),
    [Symbol.dispose]() {
      connection[Symbol.dispose]();
    },
  };
}
