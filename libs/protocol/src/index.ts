export { decodeDraft } from './batch/draft-reader.ts';
export { encodeDrafts } from './batch/draft-writer.ts';
export { upsertBatchRoute, upsertByBatch, type UpsertBatch } from './batch/upsert-batch.ts';
export { upsertDrafts, type UpsertOptions } from './batch/upsert-drafts.ts';
export { upsertBatchMethod } from './batch/upsert-method.ts';
export {
  type ClientInsecure,
  type ClientMutual,
  type ClientPinned,
  type ClientSecurity,
} from './client/client-security.ts';
export { createClientConnection, type ClientOptions } from './client/client.ts';
export { attemptToJoin } from './client/join-attempt.ts';
export { joinCluster, type JoinChallenge, type JoinMethod, type JoinOptions } from './client/join.ts';
export { fetchTrust, renewCredentials, type FetchedTrust } from './client/renew.ts';
export { TlsSessions, type KeptSession, type SessionScope } from './client/tls-sessions.ts';
export {
  accessRoleFromMessage,
  accessRoleToMessage,
  storedRoleFromMessage,
  storedRoleToMessage,
} from './convert-access-role.ts';
export { roleFromMessage, roleToMessage } from './convert-role.ts';
export {
  draftFromMessage,
  draftToMessage,
  instanceFromMessage,
  instanceToMessage,
  labelsFromMessage,
  labelsToMessage,
  matchFromMessage,
  matchToMessage,
  optionalDurationMs,
  optionalTimestampMs,
  selectorFromMessage,
  selectorToMessage,
  serverInfoFromMessage,
  serverInfoToMessage,
} from './convert.ts';
export { cutOf } from './cut.ts';
export * from './gen/tagplane/v1/access_pb.ts';
export * from './gen/tagplane/v1/audit_pb.ts';
export * from './gen/tagplane/v1/discovery_pb.ts';
export * from './gen/tagplane/v1/explain_pb.ts';
export * from './gen/tagplane/v1/guard_pb.ts';
export * from './gen/tagplane/v1/identity_pb.ts';
export * from './gen/tagplane/v1/inventory_pb.ts';
export * from './gen/tagplane/v1/join_pb.ts';
export * from './gen/tagplane/v1/node_pb.ts';
export * from './gen/tagplane/v1/role_pb.ts';
export * from './gen/tagplane/v1/selector_pb.ts';
export * from './gen/tagplane/v1/serverinfo_pb.ts';
export * from './gen/tagplane/v1/status_pb.ts';
export { MAX_MESSAGE_BYTES, PEER_HEADER } from './limits.ts';
export { identifyPeer, knownPeer, peerOf, unidentified } from './peer.ts';
export { createApiServer, type ApiServer, type ApiServerOptions } from './server/api-server.ts';
export { DEFAULT_CONNECTION_LIMITS, type ConnectionLimits } from './server/connection-limits.ts';
export { type FinishedCall } from './server/call-boundary.ts';
export { rawMethod, type RawMethod, type RawStream, type RawStreamListener } from './server/raw-stream.ts';
export { rpcOptions, type RpcOptions } from './server/rpc-options.ts';
export {
  connectionKey,
  connectionOf,
  type ConnectionEvent,
  type ConnectionRefusal,
  type MutualTls,
  type PeerConnection,
  type RefusalReason,
  type ServerCredentials,
  type ServerSecurity,
} from './server/security.ts';
export { healthRoutes, type HealthOptions } from './server/health.ts';
export { reflectionRoutes } from './server/reflection.ts';
