import { X509Certificate, createPrivateKey } from 'node:crypto';
import { batchStatements } from './statement-batch.ts';
import type { StatementProof } from './statement-batch.ts';
import { signStatement } from './statements.ts';

/** A statement with what proves whose it is. All bytes; certificates are DER. */
export interface SignedStatement {
  readonly statement: Uint8Array;
  /** ECDSA with SHA-256, in DER: over the statement or, where there is a proof, over what it leads to. */
  readonly signature: Uint8Array;
  /** Of a statement that was signed together with others. */
  readonly proof?: StatementProof | undefined;
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
  /** One signature for all of them (`MAX_BATCH` at most), in their order. */
  signBatch(statements: readonly Uint8Array[]): SignedStatement[];
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
    signBatch(statements) {
      const { signed, proofs } = batchStatements(statements);
      const signature = signStatement(signed, key);
      return statements.map((statement, index) => ({
        statement,
        signature,
        certificates,
        proof: proofs[index],
      }));
    },
  };
}
