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
