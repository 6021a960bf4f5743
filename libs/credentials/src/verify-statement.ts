import { X509Certificate, verify } from 'node:crypto';
import { identifyCertificate } from '@tagplane/identity';
import { readStatement } from './auth-statement.ts';
import type { AuthStatement } from './auth-statement.ts';
import type { TrustBundle } from './credentials.ts';
import { batchOf } from './statement-batch.ts';
import type { SignedStatement } from './statement-signer.ts';

export type VerifiedStatement =
  | {
      readonly ok: true;
      readonly statement: AuthStatement;
      /** SPIFFE ID of the auth process that signed it. */
      readonly signer: string;
    }
  /** For a person. */
  | { readonly ok: false; readonly problem: string };

/** Against what a statement is held. */
export interface StatementTrust {
  readonly cluster: string;
  readonly trust: Pick<TrustBundle, 'authorities'>;
  /** Unix milliseconds; a statement of later than this and 10 minutes of skew is refused. Default: not looked at. */
  readonly now?: number;
}

/** Two clocks that are kept at all differ by less. */
const SKEW_MS = 10 * 60_000;
/** As in a TLS handshake of ours: its own, a cross certificate, the authorities. */
const MAX_CERTIFICATES = 8;

/**
 * Whether an auth process of the cluster said this. Its certificate must lead to an authority of the bundle,
 * directly or through one of the certificates given, and must have been valid when the statement was issued:
 * whether it has ended since is no matter, what was said then was said. Never throws.
 */
export function verifyStatement(signed: SignedStatement, against: StatementTrust): VerifiedStatement {
  try {
    return verified(signed, against);
  } catch {
    return refused('it comes with something that is no certificate or no signature');
  }
}

function verified(signed: SignedStatement, { cluster, trust, now }: StatementTrust): VerifiedStatement {
  const statement = readStatement(signed.statement);
  if (statement === undefined) return refused('it is no statement of a known form');
  if (statement.cluster !== cluster) return refused('it is of another cluster');
  const { issuedAt } = statement;
  if (now !== undefined && issuedAt > now + SKEW_MS) return refused('it was issued in the future');
  if (signed.certificates.length > MAX_CERTIFICATES) return refused('it has too many certificates');
  const [leaf, ...others] = signed.certificates.map((der) => parsed(der));
  if (leaf === undefined) return refused('it has no certificate');
  const identified = identifyCertificate(
    leaf,
    { cluster, authorities: leading(others, trust, issuedAt) },
    issuedAt,
  );
  if (!identified.ok) return refused(identified.problem);
  if (identified.peer.role !== 'auth') return refused('it is not signed by an auth service');
  const key = leaf.publicKey;
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    return refused('it is signed by a key of another kind');
  const { proof } = signed;
  const what = proof === undefined ? signed.statement : batchOf(signed.statement, proof);
  if (what === undefined || !verify('sha256', what, key, signed.signature))
    return refused('the signature is not over it');
  return { ok: true, statement, signer: identified.id };
}

/** The authorities trusted, and those that one of them has certified: what a cross certificate is for. */
function leading(
  given: readonly X509Certificate[],
  trust: StatementTrust['trust'],
  at: number,
): readonly X509Certificate[] {
  const trusted = authoritiesOf(trust).filter((authority) => isAuthority(authority, at));
  const certified = given.filter(
    (each) =>
      isAuthority(each, at) &&
      trusted.some((authority) => each.checkIssued(authority) && each.verify(authority.publicKey)),
  );
  return [...trusted, ...certified];
}

function isAuthority(certificate: X509Certificate, at: number): boolean {
  return (
    certificate.ca && at >= certificate.validFromDate.getTime() && at < certificate.validToDate.getTime()
  );
}

/** A bundle lasts for months, and reading a certificate costs as much as verifying a signature. */
const bundles = new WeakMap<StatementTrust['trust'], readonly X509Certificate[]>();

function authoritiesOf(trust: StatementTrust['trust']): readonly X509Certificate[] {
  const known = bundles.get(trust);
  if (known !== undefined) return known;
  const authorities = trust.authorities.map((pem) => new X509Certificate(pem));
  bundles.set(trust, authorities);
  return authorities;
}

function parsed(der: Uint8Array): X509Certificate {
  const certificate = new X509Certificate(der);
  // Node reads PEM as well, and what follows the end of a certificate: there is one way to say it.
  if (Buffer.compare(certificate.raw, der) !== 0) throw new RangeError('not a certificate in DER');
  return certificate;
}

function refused(problem: string): VerifiedStatement {
  return { ok: false, problem };
}
