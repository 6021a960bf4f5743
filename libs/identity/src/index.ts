export {
  instanceKeyText,
  parseAccountId,
  parseInstanceId,
  parseInstanceKey,
  parseRegion,
  parseServerId,
  type AccountId,
  type InstanceId,
  type InstanceKey,
  type Region,
  type ServerId,
} from './ids.ts';
export { ROLES, parsePeerClaim, peerText, type Peer, type Role } from './peer.ts';
