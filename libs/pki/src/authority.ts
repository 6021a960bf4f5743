import { X509Certificate, generateKeyPairSync, randomBytes } from 'node:crypto';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension } from './x509.ts';
import type { Extension } from './x509.ts';
import { isClusterName } from '@tagplane/identity';
import { subjectNames } from './names.ts';
import { issuedBy, namesOf, signCertificate, signerOf } from './sign-certificate.ts';

/** An authority with all that signing needs. */
export interface AuthorityKeys {
  /** PEM. */
  readonly certificate: string;
  /** PKCS#8 in PEM. A secret. */
  readonly privateKey: string;
}

export interface Validity {
  /** Unix milliseconds. */
  readonly validFrom: number;
  readonly validUntil: number;
}

/** An authority signs leaves, and, while it is replaced, one other authority. */
const AUTHORITY_PATH_LENGTH = 1;
const CROSS_PATH_LENGTH = 0;

/**
 * A new authority (ECDSA P-256, signed by itself) for a cluster. No two have the same subject.
 *
 * @throws RangeError when the cluster's name or the validity is none
 */
export async function createAuthority(
  options: Validity & { readonly cluster: string },
): Promise<AuthorityKeys> {
  const { cluster, validFrom, validUntil } = options;
  if (!isClusterName(cluster)) throw new RangeError('not the name of a cluster');
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  // The cluster has a field of its own: a common name ends after 64 characters (RFC 5280, A.1).
  const name = [{ O: [cluster] }, { CN: [`Tagplane authority ${randomBytes(4).toString('hex')}`] }];
  const certificate = await signCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signer: await signerOf({ publicKey, privateKey }),
    validFrom,
    validUntil,
    extensions: authorityExtensions(AUTHORITY_PATH_LENGTH, subjectNames([`spiffe://${cluster}`], [])),
  });
  return { certificate: certificate.toString(), privateKey };
}

/**
 * The new authority's key and subject, signed by the old one: who trusts only the old one can then
 * verify what the new one signs. Good for as long as both are.
 *
 * @returns PEM
 */
export async function crossSign(options: {
  readonly authority: AuthorityKeys;
  /** PEM. */
  readonly certificate: string;
}): Promise<string> {
  const [old, certified] = [
    new X509Certificate(options.authority.certificate),
    new X509Certificate(options.certificate),
  ];
  const { subject, names } = namesOf(options.certificate);
  const crossed = await signCertificate({
    subject,
    ...(await issuedBy(options.authority)),
    publicKey: certified.publicKey.export({ type: 'spki', format: 'der' }),
    validFrom: Math.max(old.validFromDate.getTime(), certified.validFromDate.getTime()),
    validUntil: Math.min(old.validToDate.getTime(), certified.validToDate.getTime()),
    extensions: authorityExtensions(CROSS_PATH_LENGTH, names),
  });
  return crossed.toString();
}

function authorityExtensions(pathLength: number, names: Extension): Extension[] {
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    names,
  ];
}
