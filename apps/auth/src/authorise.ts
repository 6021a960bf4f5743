import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Peer, Role } from '@tagplane/identity';
import { peerText } from '@tagplane/identity';
import { unidentified } from '@tagplane/protocol';
import type { PeerConnection } from '@tagplane/protocol';
import type { Audit } from './audit/audit.ts';
import type { Locks } from './locks/locks.ts';

type Rule = readonly Role[] | 'anyone';

const WRITERS: Rule = ['discovery', 'operator'];
const OPERATORS: Rule = ['operator'];
const DISCOVERIES: Rule = ['discovery'];
const CERTIFIED: Rule = ['agent', 'discovery', 'operator'];

/**
 * Who may call what. A method that is not here is refused to everybody; `anyone` needs no certificate.
 * Some methods look closer: an upsert and a delete decide item by item, a control stream is for its own
 * server id and instance only, a renewal for the caller's own identity only.
 */
const RULES: Readonly<Record<string, Rule>> = {
  'tagplane.v1.ServerInfoService/UpsertServerInfos': WRITERS,
  'tagplane.v1.ServerInfoService/DeleteServerInfos': WRITERS,
  'tagplane.v1.ServerInfoService/GetServerInfo': WRITERS,
  'tagplane.v1.ServerInfoService/ListServerInfos': WRITERS,
  'tagplane.v1.StatusService/GetStatus': WRITERS,
  'tagplane.v1.NodeService/ListNodes': OPERATORS,
  'tagplane.v1.NodeService/GetNode': OPERATORS,
  'tagplane.v1.NodeService/WatchNodes': OPERATORS,
  'tagplane.v1.RoleService/PutRole': OPERATORS,
  'tagplane.v1.RoleService/GetRole': OPERATORS,
  'tagplane.v1.RoleService/ListRoles': OPERATORS,
  'tagplane.v1.RoleService/DeleteRole': OPERATORS,
  'tagplane.v1.InventoryService/ControlStream': ['agent'],
  'tagplane.v1.IdentityService/RenewCertificate': CERTIFIED,
  'tagplane.v1.IdentityService/GetTrust': CERTIFIED,
  'tagplane.v1.JoinService/Join': 'anyone',
  'tagplane.v1.TokenService/AddToken': OPERATORS,
  'tagplane.v1.TokenService/ListTokens': OPERATORS,
  'tagplane.v1.TokenService/RemoveToken': OPERATORS,
  'tagplane.v1.LockService/AddLock': OPERATORS,
  'tagplane.v1.LockService/ListLocks': OPERATORS,
  'tagplane.v1.LockService/RemoveLock': OPERATORS,
  'tagplane.v1.JoinRecordService/ListJoins': OPERATORS,
  'tagplane.v1.JoinRecordService/ResetJoin': OPERATORS,
  'tagplane.v1.CaService/GetCaStatus': OPERATORS,
  'tagplane.v1.CaService/RotateCa': OPERATORS,
  'tagplane.v1.AuditService/TailAudit': OPERATORS,
  'tagplane.v1.GuardService/RequestChange': DISCOVERIES,
  'tagplane.v1.GuardService/ListHolds': OPERATORS,
  'tagplane.v1.GuardService/ReleaseHold': OPERATORS,
  'tagplane.v1.GuardService/DropHold': OPERATORS,
  'tagplane.v1.DiscoveryService/HoldLease': DISCOVERIES,
  'tagplane.v1.DiscoveryService/ReleaseLease': DISCOVERIES,
  'tagplane.v1.DiscoveryService/ReportScopes': DISCOVERIES,
  'tagplane.v1.DiscoveryService/ListAgentInstances': DISCOVERIES,
  'tagplane.v1.DiscoveryService/ClaimEnrolments': DISCOVERIES,
  'tagplane.v1.DiscoveryService/RecordEnrolments': DISCOVERIES,
  'tagplane.v1.DiscoveryService/ListGroups': OPERATORS,
  'tagplane.v1.DiscoveryService/ListScopes': OPERATORS,
  'tagplane.v1.DiscoveryService/ListInstances': WRITERS,
  'tagplane.v1.ExplainService/ExplainNode': OPERATORS,
  'tagplane.v1.ExplainService/PreviewServerInfos': OPERATORS,
  'grpc.health.v1.Health/Check': 'anyone',
  'grpc.health.v1.Health/Watch': 'anyone',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': OPERATORS,
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': OPERATORS,
};

/** @throws ConnectError UNAUTHENTICATED, which says what to do by the kind of connection, or PERMISSION_DENIED */
export function authorise(method: DescMethod, peer: Peer | undefined, connection?: PeerConnection): void {
  const name = methodName(method);
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule === 'anyone') return;
  if (peer === undefined) throw unidentified(connection);
  if (rule?.includes(peer.role) !== true) {
    throw new ConnectError(`the role ${peer.role} may not call ${method.name}`, Code.PermissionDenied);
  }
}

export type Authorise = (
  method: DescMethod,
  peer: Peer | undefined,
  connection: PeerConnection | undefined,
) => void;

/** By the table, and by the locks in force; every refusal is audited. */
export function createAuthorise({
  locks,
  audit,
}: {
  readonly locks: Locks;
  readonly audit: Audit;
}): Authorise {
  return (method, peer, connection) => {
    try {
      checkConnection(locks, connection);
      authorise(method, peer, connection);
    } catch (error) {
      audit.record({
        code: 'call.refused',
        result: 'refused',
        actor: peer && peerText(peer),
        remoteAddress: connection?.remoteAddress,
        reason: ConnectError.from(error).rawMessage,
        details: { method: methodName(method) },
      });
      throw error;
    }
  };
}

/** @throws ConnectError when the certificate was refused, its holder is locked, or nobody can know yet */
function checkConnection(locks: Locks, connection: PeerConnection | undefined): void {
  if (connection?.problem !== undefined) throw new ConnectError(connection.problem, Code.Unauthenticated);
  const identity = connection?.identity;
  if (identity === undefined) return;
  if (!locks.loaded) throw new ConnectError('the locks are not loaded yet', Code.Unavailable);
  const reason = locks.lockedReason(identity);
  if (reason !== undefined) throw new ConnectError(reason, Code.PermissionDenied);
}

function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
