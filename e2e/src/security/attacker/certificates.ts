import { createKey } from '@tagplane/credentials';
import type { InstanceKey, Role } from '@tagplane/identity';
import { HOUR, MINUTE } from '@tagplane/runtime';
import { createAuthority, issueCertificate } from '@tagplane/pki';
import type { AuthorityKeys } from '@tagplane/pki';

/** What a client shows; PEM. */
export interface ClientCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateWish {
  readonly role: Role;
  readonly name: string;
  readonly instance?: InstanceKey;
  /** Instead of the issuer's own. */
  readonly cluster?: string;
  /** Unix milliseconds. Default: as the service does it, from 15 minutes ago until in 12 hours. */
  readonly validFrom?: number;
  readonly validUntil?: number;
}

/** Somebody who holds an authority's private key and certifies whatever is wanted. */
export class Issuer {
  readonly cluster: string;
  readonly authority: AuthorityKeys;

  constructor(cluster: string, authority: AuthorityKeys) {
    this.cluster = cluster;
    this.authority = authority;
  }

  async certify(wish: CertificateWish): Promise<ClientCertificate> {
    const { role, name, instance, cluster = this.cluster } = wish;
    const now = Date.now();
    const key = createKey();
    const der = await issueCertificate({
      authority: this.authority,
      subject: { cluster, role, name, instance, publicKey: key.publicKey },
      validFrom: wish.validFrom ?? now - 15 * MINUTE,
      validUntil: wish.validUntil ?? now + 12 * HOUR,
    });
    return { key: key.privateKey, cert: pem(der) };
  }
}

/** An authority that nobody trusts, of a cluster that calls itself so. */
export async function createForeignIssuer(cluster: string): Promise<Issuer> {
  const now = Date.now();
  return new Issuer(
    cluster,
    await createAuthority({ cluster, validFrom: now - HOUR, validUntil: now + 24 * HOUR }),
  );
}

export function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
