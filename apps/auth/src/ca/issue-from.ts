import { X509Certificate } from 'node:crypto';
import type { Issued } from '@tagplane/credentials';
import { identifyCertificate } from '@tagplane/identity';
import type { CertificateIdentity } from '@tagplane/identity';
import { issueCertificate } from '@tagplane/pki';
import type { CertificateSubject } from './authority.ts';
import { BACKDATE_MS } from './opened-ca.ts';
import type { OpenedCa } from './opened-ca.ts';

/** A certificate with all that its holder needs to use it, and who it makes of its holder. */
export interface IssuedCertificate {
  readonly issued: Issued;
  readonly identity: CertificateIdentity;
}

/**
 * A certificate of the signing authority, which ends no later than the authority itself.
 *
 * @param now Unix milliseconds
 * @throws RangeError when the subject is none that a certificate may have, or the authority has ended
 */
export async function issueFrom(
  ca: OpenedCa,
  subject: CertificateSubject,
  { now, ttlMs }: { readonly now: number; readonly ttlMs: number },
): Promise<IssuedCertificate> {
  const { cluster } = ca.record;
  const end = ca.authorities[0]?.validToDate.getTime() ?? now;
  if (end <= now) throw new RangeError('the authority that signs has ended');
  const certificate = await issueCertificate({
    authority: ca.signer,
    subject: { cluster, ...subject },
    validFrom: now - BACKDATE_MS,
    validUntil: Math.min(now + ttlMs, end),
  });
  const trust = { cluster, authorities: ca.authorities };
  const identity = identifyCertificate(new X509Certificate(certificate), trust, now);
  // Whoever holds it would be refused with it.
  if (!identity.ok) throw new Error(`the certificate that was made is not good: ${identity.problem}`);
  const { peer, id, issuer, validUntil } = identity;
  return {
    // The auth services trust its authority directly: the chain would only make each handshake longer.
    issued: { certificates: [certificate], ...trustOf(ca) },
    identity: { peer, id, issuer, validUntil },
  };
}

/** The bundle there is now; DER. */
export function trustOf(ca: OpenedCa): Pick<Issued, 'generation' | 'authorities'> {
  return { generation: ca.record.generation, authorities: ca.authorities.map(({ raw }) => raw) };
}
