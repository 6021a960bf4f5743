import { X509Certificate, createHash, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import type { AuthorityKeys } from './authority.ts';
import {
  AuthorityKeyIdentifierExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as Parsed,
  X509CertificateGenerator,
} from './x509.ts';
import type { Extension, JsonName, Name } from './x509.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
/** RFC 5280, 4.1.2.2, allows 20; the first bit stays 0, so that the number is positive. */
const SERIAL_BYTES = 16;

export interface Signer {
  readonly keyIdentifier: AuthorityKeyIdentifierExtension;
  readonly key: webcrypto.CryptoKey;
}

export interface CertificateTemplate {
  readonly subject: JsonName | Name;
  readonly issuer: JsonName | Name;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  readonly signer: Signer;
  /** Unix milliseconds; written in whole seconds, rounded down. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly extensions: readonly Extension[];
}

/** Signs with ECDSA and SHA-256; adds a random serial number and the identifiers of both keys. */
export async function signCertificate(template: CertificateTemplate): Promise<X509Certificate> {
  const { signer, validFrom, validUntil } = template;
  if (!(validFrom < validUntil)) throw new RangeError('a certificate ends after it begins');
  const made = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: template.subject,
    issuer: template.issuer,
    notBefore: wholeSeconds(validFrom),
    notAfter: wholeSeconds(validUntil),
    publicKey: Uint8Array.from(template.publicKey),
    signingKey: signer.key,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      ...template.extensions,
      new SubjectKeyIdentifierExtension(keyIdentifier(template.publicKey)),
      signer.keyIdentifier,
    ],
  });
  return new X509Certificate(Buffer.from(made.rawData));
}

type Issuing = Pick<CertificateTemplate, 'issuer' | 'signer'>;

/** Reading an authority takes as long as signing with it, and one signs thousands of times. */
const known = new WeakMap<AuthorityKeys, Promise<Issuing>>();

/** What a certificate of this authority needs of it. */
export function issuedBy(authority: AuthorityKeys): Promise<Issuing> {
  const issuing = known.get(authority) ?? readAuthority(authority);
  known.set(authority, issuing);
  return issuing;
}

async function readAuthority({ certificate, privateKey }: AuthorityKeys): Promise<Issuing> {
  const { subjectName, publicKey } = new Parsed(certificate);
  const signer = await signerOf({ publicKey: new Uint8Array(publicKey.rawData), privateKey });
  return { issuer: subjectName, signer };
}

/** @param keys SubjectPublicKeyInfo in DER, and PKCS#8 in PEM */
export async function signerOf(keys: {
  readonly publicKey: Uint8Array;
  readonly privateKey: string;
}): Promise<Signer> {
  return {
    keyIdentifier: new AuthorityKeyIdentifierExtension(keyIdentifier(keys.publicKey)),
    key: await signingKey(keys.privateKey),
  };
}

/**
 * The names in a certificate, as they stand there.
 *
 * @throws RangeError when it has no alternative ones
 */
export function namesOf(certificate: string): { readonly subject: Name; readonly names: Extension } {
  const parsed = new Parsed(certificate);
  const names = parsed.getExtension(SubjectAlternativeNameExtension);
  if (names === null) throw new RangeError('the certificate has no alternative names');
  return { subject: parsed.subjectName, names };
}

function signingKey(privateKey: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', Uint8Array.from(der), P256, false, ['sign']);
}

/** 160 bits of the key's SHA-256 (as RFC 7093, 2, method 4: of all of SubjectPublicKeyInfo). */
function keyIdentifier(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest().subarray(0, 20).toString('hex');
}

function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  // Neither negative nor shortened by leading zeros: 0x40 to 0x7f.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1_000) * 1_000);
}
