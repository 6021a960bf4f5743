export {
  labelsStatement,
  readStatement,
  rolesStatement,
  type AuthStatement,
  type LabelsStatement,
  type RolesStatement,
  type StatedLifetime,
} from './auth-statement.ts';
export {
  CredentialFileError,
  decodeCredentials,
  encodeCredentials,
  readCredentialFile,
  writeCredentialFile,
} from './credential-file.ts';
export { type Credentials, type Issued, type TrustBundle } from './credentials.ts';
export { CredentialsError, credentialsFromIssued, trustFromIssued } from './issued.ts';
export {
  createKey,
  joinStatement,
  provesPossession,
  renewStatement,
  signStatement,
  type NewKey,
} from './statements.ts';
export {
  attemptJoin,
  joinRetryMs,
  joinUntilIn,
  JoinRefusedError,
  type JoinLoop,
  type JoinObserver,
} from './join-retry.ts';
export { CredentialKeeper, type KeeperObserver, type KeeperOptions } from './keeper.ts';
export type { KeeperClock } from './holding.ts';
export { lifeMs } from './renewal.ts';
export { credentialMetrics } from './metrics.ts';
export {
  caPinsField,
  pinSourceOf,
  pinsProblem,
  tlsField,
  tokenJoinFields,
  tokenJoinProblem,
  tokenSourceOf,
  type PinSource,
  type TokenJoinConfig,
  type TokenSource,
} from './config-fields.ts';
export { readCaPins } from './ca-pins.ts';
export { readJoinToken } from './join-token.ts';
export { MAX_BATCH, type StatementProof } from './statement-batch.ts';
export { createStatementSigner, type SignedStatement, type StatementSigner } from './statement-signer.ts';
export { verifyStatement, type StatementTrust, type VerifiedStatement } from './verify-statement.ts';
