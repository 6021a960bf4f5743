import type { Client, Transport } from '@connectrpc/connect';
import { createClient } from '@connectrpc/connect';
import type { ClientSecurity } from '@tagplane/protocol';
import {
  AuditService,
  CaService,
  DiscoveryService,
  ExplainService,
  GuardService,
  JoinRecordService,
  LockService,
  NodeService,
  RoleService,
  ServerInfoService,
  StatusService,
  TokenService,
  createClientConnection,
} from '@tagplane/protocol';
import type { Target } from './settings.ts';

/** The auth service's API, as an operator uses it. */
export interface Api extends Disposable {
  readonly transport: Transport;
  readonly nodes: Client<typeof NodeService>;
  readonly serverInfos: Client<typeof ServerInfoService>;
  readonly status: Client<typeof StatusService>;
  readonly tokens: Client<typeof TokenService>;
  readonly locks: Client<typeof LockService>;
  readonly joins: Client<typeof JoinRecordService>;
  readonly audit: Client<typeof AuditService>;
  readonly ca: Client<typeof CaService>;
  readonly roles: Client<typeof RoleService>;
  readonly guard: Client<typeof GuardService>;
  readonly explain: Client<typeof ExplainService>;
  readonly discovery: Client<typeof DiscoveryService>;
}

/** Connects on the first call, and again on the first call after a loss. */
export function openApi({ address, timeoutMs }: Target, security: ClientSecurity): Api {
  const connection = createClientConnection({ address, timeoutMs, security });
  const { transport } = connection;
  return {
    transport,
    nodes: createClient(NodeService, transport),
    serverInfos: createClient(ServerInfoService, transport),
    status: createClient(StatusService, transport),
    tokens: createClient(TokenService, transport),
    locks: createClient(LockService, transport),
    joins: createClient(JoinRecordService, transport),
    audit: createClient(AuditService, transport),
    ca: createClient(CaService, transport),
    roles: createClient(RoleService, transport),
    guard: createClient(GuardService, transport),
    explain: createClient(ExplainService, transport),
    discovery: createClient(DiscoveryService, transport),
    [Symbol.dispose]() {
      connection[Symbol.dispose]();
    },
  };
}
