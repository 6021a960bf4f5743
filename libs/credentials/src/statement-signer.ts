import { X509Certificate, createPrivateKey } from 'node:crypto';
import { signStatement } from './statements.ts';

/** A statement with what proves whose it is. All bytes; certificates are DER. */
export interface SignedStatement {
  readonly statement: Uint8Array;
  /** ECDSA with SHA-256, in DER. */
  readonly signature: Uint8Array;
  /** The signer's own first, then what leads to an authority. */
  readonly certificates: readonly Uint8Array[];
}

/** Signs with the key of one certificate. */
export interface StatementSigner {
  /** The same list, by identity, in all that it signs. */
  readonly certificates: readonly Uint8Array[];
  /** Names the authority that made its own certificate; empty without one. */
  readonly issuer: string;
  sign(statement: Uint8Array): SignedStatement;
}

/**
 * Reads key and certificates once, so that a signature costs no more than the arithmetic.
 *
 * @param options.privateKey PKCS#8 in PEM
 * @param options.certificates PEM: its own first, then what leads to an authority
 */
export function createStatementSigner(options: {
  readonly privateKey: string;
  readonly certificates: readonly string[];
}): StatementSigner {
  const key = createPrivateKey(options.privateKey);
  const parsed = options.certificates.map((pem) => new X509Certificate(pem));
  const issuer = parsed[0]?.issuer ?? '';
  // An authority that nobody has certified is trusted, or is not: to bring it along helps nobody.
  const brought = parsed.filter((certificate) => !certificate.checkIssued(certificate));
  const certificates = brought.map(({ raw }) => new Uint8Array(raw));
  return {
    certificates,
    issuer,
    sign: (statement) => ({ statement, signature: signStatement(statement, key), certificates }),
  };
}
