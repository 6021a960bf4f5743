import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import type { InstanceKey } from './ids.ts';
import { isIssuedBy } from './issued-by.ts';
import type { Peer } from './peer.ts';
import type { SpiffeId } from './spiffe.ts';
import { formatSpiffeId, parseInstanceDnsName, parseSpiffeId } from './spiffe.ts';

/** What a certificate of the cluster says of its holder. */
export interface CertificateIdentity {
  readonly peer: Peer & { readonly proof: 'certificate' };
  /** SPIFFE ID. */
  readonly id: string;
  /** Pin of the authority that made it. */
  readonly issuer: string;
  /** Unix milliseconds; good before this. */
  readonly validUntil: number;
}

export type IdentifiedCertificate =
  | ({ readonly ok: true } & CertificateIdentity)
  /** For a person, and for the peer itself. */
  | { readonly ok: false; readonly problem: string };

/** What a peer's certificate must stand up to. */
export interface Trust {
  readonly cluster: string;
  readonly authorities: readonly X509Certificate[];
}

/**
 * Who holds this certificate, at this time (Unix milliseconds). Everything is looked at anew, because a
 * resumed TLS session is not: signature, validity, names.
 */
export function identifyCertificate(
  certificate: X509Certificate,
  trust: Trust,
  now: number,
): IdentifiedCertificate {
  const authority = trust.authorities.find((each) => isIssuedBy(certificate, each));
  if (authority === undefined || certificate.ca) return refused('the certificate is not one of this cluster');
  const [validFrom, validUntil] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  if (now < validFrom) return refused('the certificate is not valid yet');
  if (now >= validUntil) return refused('the certificate has expired');
  const names = certificateNames(certificate);
  if (names === undefined) return refused('the certificate names no identity');
  const { id, instance } = names;
  if (id.cluster !== trust.cluster) return refused('the certificate is of another cluster');
  if (instance !== undefined && id.role !== 'agent') return refused('only an agent can be an instance');
  const peer = { role: id.role, name: id.name, proof: 'certificate' as const };
  return {
    ok: true,
    peer: instance === undefined ? peer : { ...peer, instance },
    id: formatSpiffeId(id),
    issuer: publicKeyPin(authority),
    validUntil,
  };
}

/** `sha256:` and the SHA-256, in lower-case hex, of the public key (SubjectPublicKeyInfo in DER). */
export function publicKeyPin(certificate: X509Certificate): string {
  const known = pins.get(certificate);
  if (known !== undefined) return known;
  const pin = `sha256:${sha256Hex(certificate.publicKey.export({ type: 'spki', format: 'der' }))}`;
  pins.set(certificate, pin);
  return pin;
}

/** An authority's pin is asked for with each connection, and node takes 0.1 ms to write out a key. */
const pins = new WeakMap<X509Certificate, string>();

const PIN = /^sha256:[0-9a-f]{64}$/;

/** A pin in the form of `publicKeyPin`; undefined for any other text. */
export function parsePin(text: string): string | undefined {
  const pin = text.toLowerCase();
  return PIN.test(pin) ? pin : undefined;
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function refused(problem: string): IdentifiedCertificate {
  return { ok: false, problem };
}

/**
 * The names that our authorities write: one SPIFFE ID and at most one instance. Undefined when there is
 * anything else: who made that is not to be believed about the rest.
 */
function certificateNames(
  certificate: X509Certificate,
): { readonly id: SpiffeId; readonly instance: InstanceKey | undefined } | undefined {
  // Names with anything unusual in them are quoted by node, and then match neither form.
  const names = (certificate.subjectAltName ?? '').split(', ');
  const [uri, dns, ...others] = names;
  if (uri?.startsWith('URI:') !== true || others.length > 0) return undefined;
  const id = parseSpiffeId(uri.slice('URI:'.length));
  if (id === undefined) return undefined;
  if (dns === undefined) return { id, instance: undefined };
  if (!dns.startsWith('DNS:')) return undefined;
  const instance = parseInstanceDnsName(dns.slice('DNS:'.length));
  return instance && { id, instance };
}
