export { type Credentials, type Issued, type TrustBundle } from './credentials.ts';
export {
  createKey,
  joinStatement,
  provesPossession,
  renewStatement,
  signStatement,
  type NewKey,
} from './statements.ts';
