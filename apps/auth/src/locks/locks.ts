import type { CertificateIdentity } from '@tagplane/identity';

/** The locks in force, as the rest of the auth service needs them. */
export interface Locks {
  /** False until they are known for the first time: until then nobody is let in. */
  readonly loaded: boolean;
  /** Why this identity is locked; undefined: it is not. */
  lockedReason(identity: Pick<CertificateIdentity, 'id' | 'peer'>): string | undefined;
}
