import { createPublicKey } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
} from './x509.ts';
import type { Extension } from './x509.ts';
import { formatSpiffeId, instanceDnsName, parseInstanceDnsName, parseSpiffeId } from '@tagplane/identity';
import type { InstanceKey, Role } from '@tagplane/identity';
import type { AuthorityKeys, Validity } from './authority.ts';
import { subjectNames } from './names.ts';
import { issuedBy, signCertificate } from './sign-certificate.ts';

/** Whom a certificate is for. */
export interface Subject {
  readonly cluster: string;
  readonly role: Role;
  readonly name: string;
  /** The instance that was proven; agents only. */
  readonly instance?: InstanceKey | undefined;
  /** SubjectPublicKeyInfo in DER: ECDSA P-256. */
  readonly publicKey: Uint8Array;
}

const { clientAuth, serverAuth } = ExtendedKeyUsage;
const CLIENT_EXTENSIONS = leafExtensions([clientAuth]);
const AUTH_EXTENSIONS = leafExtensions([serverAuth, clientAuth]);

/**
 * A certificate for a member of the cluster.
 *
 * @returns DER
 * @throws RangeError when a name, the instance, the key or the validity is none that a certificate may have
 */
export async function issueCertificate(
  options: Validity & { readonly authority: AuthorityKeys; readonly subject: Subject },
): Promise<Uint8Array> {
  const { authority, subject, validFrom, validUntil } = options;
  const { uri, dnsNames } = checkedNames(subject);
  const certificate = await signCertificate({
    // Who it is for is said once, by the URI.
    subject: [{ O: [subject.cluster] }, { CN: [`Tagplane ${subject.role}`] }],
    ...(await issuedBy(authority)),
    publicKey: checkedKey(subject.publicKey),
    validFrom,
    validUntil,
    extensions: [
      ...(subject.role === 'auth' ? AUTH_EXTENSIONS : CLIENT_EXTENSIONS),
      subjectNames([uri], dnsNames),
    ],
  });
  return certificate.raw;
}

/** Only names that are read again as what they were written for. */
function checkedNames(subject: Subject): { readonly uri: string; readonly dnsNames: readonly string[] } {
  const { cluster, role, name, instance } = subject;
  const uri = formatSpiffeId({ cluster, role, name });
  const id = parseSpiffeId(uri);
  if (id?.cluster !== cluster || id.role !== role || id.name !== name) {
    throw new RangeError('not a name that a certificate may carry');
  }
  if (instance === undefined) return { uri, dnsNames: [] };
  const dnsName = instanceDnsName(instance);
  if (role !== 'agent') throw new RangeError('only an agent can be an instance');
  if (parseInstanceDnsName(dnsName) === undefined) throw new RangeError('not an instance');
  return { uri, dnsNames: [dnsName] };
}

/** The same key, encoded the one way there is. */
function checkedKey(publicKey: Uint8Array): Uint8Array {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') {
      return key.export({ type: 'spki', format: 'der' });
    }
  } catch {
    // Said below.
  }
  throw new RangeError('not an ECDSA P-256 public key');
}

function leafExtensions(usages: ExtendedKeyUsage[]): Extension[] {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usages),
  ];
}
