import type { X509Certificate } from 'node:crypto';
import type { Issued } from '@tagplane/credentials';
import type { CertificateIdentity, IdentifiedCertificate, InstanceKey, Role } from '@tagplane/identity';

/** Whom a certificate is for. */
export interface CertificateSubject {
  readonly role: Role;
  readonly name: string;
  /** The instance that was proven; agents only. */
  readonly instance: InstanceKey | undefined;
  /** SubjectPublicKeyInfo in DER, its possession proven. */
  readonly publicKey: Uint8Array;
}

/** The cluster's certificate authority, as the rest of the auth service needs it. */
export interface Authority {
  readonly cluster: string;
  /** The bundle there is now; DER. */
  trust(): { readonly generation: number; readonly authorities: readonly Uint8Array[] };
  /** Pins of the trusted authorities, the one that signs first. */
  pins(): readonly string[];
  /**
   * A certificate of the present signing authority, good for the configured time, and who it makes of its
   * holder.
   *
   * @param kind what for, in the metrics; default `join`
   * @throws RangeError when the subject is none that a certificate may have
   */
  issue(
    subject: CertificateSubject,
    kind?: 'join' | 'renew',
  ): Promise<{ readonly issued: Issued; readonly identity: CertificateIdentity }>;
  /** Who holds this certificate, by the authorities trusted now. */
  identify(certificate: X509Certificate): IdentifiedCertificate;
}
