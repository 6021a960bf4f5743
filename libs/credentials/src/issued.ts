import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { identifyCertificate } from '@tagplane/identity';
import type { Credentials, Issued, TrustBundle } from './credentials.ts';

/** A key, a certificate and a trust bundle that do not belong together. Names no secret. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/**
 * Credentials of what the auth service handed out.
 *
 * @param parts.privateKey PKCS#8 in PEM: the key that was to be certified
 * @param parts.now Unix milliseconds
 * @throws CredentialsError when the certificate is for another key, of another cluster, or not of one of
 *   the authorities that came with it
 */
export function credentialsFromIssued(parts: {
  readonly issued: Issued;
  readonly privateKey: string;
  readonly cluster: string;
  readonly now?: number;
}): Credentials {
  const { issued, privateKey, cluster, now = Date.now() } = parts;
  return assembleCredentials({
    privateKey,
    certificates: issued.certificates.map(pemOf),
    trust: { cluster, generation: issued.generation, authorities: issued.authorities.map(pemOf) },
    receivedAt: now,
  });
}

/**
 * Reads off the certificate who its holder is.
 *
 * @throws CredentialsError when the parts do not belong together
 */
export function assembleCredentials(
  parts: Pick<Credentials, 'privateKey' | 'certificates' | 'trust' | 'receivedAt'>,
): Credentials {
  const certificate = parsed(parts.certificates[0]);
  if (!certificate.checkPrivateKey(keyOf(parts.privateKey))) {
    throw new CredentialsError('the certificate is for another key');
  }
  const validFrom = certificate.validFromDate.getTime();
  // At its own beginning: whether it has ended is not for this machine's clock to say.
  const identified = identifyCertificate(certificate, trustOf(parts.trust), validFrom);
  if (!identified.ok) throw new CredentialsError(identified.problem);
  const { id, peer, validUntil } = identified;
  const { privateKey, certificates, trust, receivedAt } = parts;
  const who = { id, role: peer.role, name: peer.name, instance: peer.instance };
  return { ...who, privateKey, certificates, trust, validFrom, validUntil, receivedAt };
}

/**
 * The bundle as a client takes it over.
 *
 * @throws CredentialsError when one of its certificates is none
 */
export function trustFromIssued(
  cluster: string,
  trust: Pick<Issued, 'generation' | 'authorities'>,
): TrustBundle {
  return { cluster, generation: trust.generation, authorities: trust.authorities.map(pemOf) };
}

function trustOf({ cluster, authorities }: TrustBundle) {
  return { cluster, authorities: authorities.map(parsed) };
}

function pemOf(der: Uint8Array): string {
  return parsed(der).toString();
}

function parsed(certificate: string | Uint8Array | undefined): X509Certificate {
  try {
    // Where there is none, the empty text is none either.
    return new X509Certificate(certificate ?? '');
  } catch (error) {
    throw new CredentialsError('not a certificate', { cause: error });
  }
}

function keyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause might quote the key.
    throw new CredentialsError('not a private key');
  }
}
