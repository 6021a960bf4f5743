import { hash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';

/** Three of each of 10,000 agents, about 100 bytes each: what comes back is asked about again for hours. */
const MAX_KNOWN = 30_000;

/** By authority: SHA-256 of certificates on which its signature was found, the oldest first. */
const found = new WeakMap<X509Certificate, Set<string>>();

/**
 * Whether the authority signed the certificate. That is found out once for each certificate, byte by byte:
 * agents that come back resume their session, and the signature would be half of what looking at them takes.
 */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  const known = found.get(authority) ?? new Set<string>();
  const print = hash('sha256', certificate.raw, 'base64');
  if (known.has(print)) return true;
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return false;
  known.add(print);
  const [oldest = ''] = known.size > MAX_KNOWN ? known : [];
  known.delete(oldest);
  found.set(authority, known);
  return true;
}
