import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Peer, Role } from '@tagplane/identity';
import { unidentified } from '@tagplane/protocol';

const WRITERS = ['discovery', 'operator'] as const;
const READERS = ['operator', 'discovery', 'auth'] as const;

/**
 * Who may call what. A method that is not here is refused to everybody. Some methods look closer: an
 * upsert decides item by item, a delete by name.
 */
const RULES: Readonly<Record<string, readonly Role[] | 'anyone'>> = {
  'tagplane.v1.ServerInfoService/UpsertServerInfos': WRITERS,
  'tagplane.v1.ServerInfoService/DeleteServerInfos': WRITERS,
  'tagplane.v1.ServerInfoService/GetServerInfo': READERS,
  'tagplane.v1.ServerInfoService/ListServerInfos': READERS,
  'tagplane.v1.NodeService/ListNodes': READERS,
  'tagplane.v1.NodeService/GetNode': READERS,
  'tagplane.v1.NodeService/WatchNodes': READERS,
  'tagplane.v1.StatusService/GetStatus': READERS,
  'tagplane.v1.InventoryService/ControlStream': ['agent'],
  'grpc.health.v1.Health/Check': 'anyone',
  'grpc.health.v1.Health/Watch': 'anyone',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'anyone',
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'anyone',
};

/** @throws ConnectError UNAUTHENTICATED or PERMISSION_DENIED */
export function authorise(method: DescMethod, peer: Peer | undefined): void {
  const name = `${method.parent.typeName}/${method.name}`;
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule === 'anyone') return;
  if (peer === undefined) throw unidentified();
  if (rule?.includes(peer.role) !== true) {
    throw new ConnectError(`the role ${peer.role} may not call ${method.name}`, Code.PermissionDenied);
  }
}
