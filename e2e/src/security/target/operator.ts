import type { Client, Transport } from '@connectrpc/connect';
import { createClient } from '@connectrpc/connect';
import {
  AuditService,
  CaService,
  JoinRecordService,
  LockService,
  NodeService,
  ServerInfoService,
  StatusService,
  TokenService,
} from '@tagplane/protocol';

/** What an honest operator has the service do, and sees of it. */
export interface Operator {
  /** `role/name`, as audit events have it. */
  readonly actor: string;
  readonly audit: Client<typeof AuditService>;
  readonly ca: Client<typeof CaService>;
  readonly joins: Client<typeof JoinRecordService>;
  readonly locks: Client<typeof LockService>;
  readonly nodes: Client<typeof NodeService>;
  readonly serverInfos: Client<typeof ServerInfoService>;
  readonly status: Client<typeof StatusService>;
  readonly tokens: Client<typeof TokenService>;
}

export function createOperator(actor: string, transport: Transport): Operator {
  return {
    actor,
    audit: createClient(AuditService, transport),
    ca: createClient(CaService, transport),
    joins: createClient(JoinRecordService, transport),
    locks: createClient(LockService, transport),
    nodes: createClient(NodeService, transport),
    serverInfos: createClient(ServerInfoService, transport),
    status: createClient(StatusService, transport),
    tokens: createClient(TokenService, transport),
  };
}
