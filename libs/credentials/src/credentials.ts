import type { InstanceKey, Role } from '@tagplane/identity';

/** Which certificates are to be trusted. */
export interface TrustBundle {
  readonly cluster: string;
  /** Rises with every change of the authorities. */
  readonly generation: number;
  /** PEM, one certificate each. */
  readonly authorities: readonly string[];
}

/** All that a process needs to prove who it is, and to know the auth service. */
export interface Credentials {
  /** SPIFFE ID. */
  readonly id: string;
  readonly role: Role;
  readonly name: string;
  /** The instance that the certificate proves. */
  readonly instance: InstanceKey | undefined;
  /** PKCS#8 in PEM. A secret. */
  readonly privateKey: string;
  /** PEM, one certificate each: its own first. */
  readonly certificates: readonly string[];
  readonly trust: TrustBundle;
  /** Unix milliseconds, as the certificate says. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Unix milliseconds by this machine's clock: when it got them. */
  readonly receivedAt: number;
}

/** A certificate as the auth service hands it out; DER. */
export interface Issued {
  readonly certificates: readonly Uint8Array[];
  readonly generation: number;
  readonly authorities: readonly Uint8Array[];
}
