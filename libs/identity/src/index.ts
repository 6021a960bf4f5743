export {
  identifyCertificate,
  parsePin,
  publicKeyPin,
  sha256Hex,
  type CertificateIdentity,
  type IdentifiedCertificate,
  type Trust,
} from './certificate.ts';
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
export {
  ROLES,
  isCertifiedName,
  isPeerName,
  parsePeerClaim,
  parseRole,
  peerText,
  type Peer,
  type Role,
} from './peer.ts';
export {
  formatSpiffeId,
  instanceDnsName,
  isClusterName,
  parseInstanceDnsName,
  parseSpiffeId,
  type SpiffeId,
} from './spiffe.ts';
