import { Code, ConnectError } from '@connectrpc/connect';
import { problemOfServer } from './server-check.ts';

/** The other side is not the auth service that was asked for. The message is for a person. */
export class ServerCheckError extends Error {
  override readonly name = 'ServerCheckError';
}

const NOT_OURS = "the auth service's certificate is not one of this cluster";
const NO_TLS = 'the other side does not speak TLS: is the auth service insecure, or is this another service?';

/** What OpenSSL and node say about a handshake, by their code. */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: problemOfServer('the certificate has expired'),
  CERT_NOT_YET_VALID: problemOfServer('the certificate is not valid yet'),
  CERT_SIGNATURE_FAILURE: NOT_OURS,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_OURS,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_OURS,
  UNABLE_TO_GET_ISSUER_CERT: NOT_OURS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_OURS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_OURS,
  INVALID_PURPOSE: "the other side's certificate is not that of an auth service",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  EPROTO: NO_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the other side speaks no TLS 1.3',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the other side speaks no TLS 1.3',
  ECONNRESET: 'the connection was cut: the auth service may be busy, or not take so many at once',
};

/**
 * UNAVAILABLE with a sentence that says what to look at, where opening a connection failed for a reason
 * that is known; any other error is returned as it is.
 */
export function explainConnectError(error: unknown, address: string): unknown {
  for (let cause = error; isErrorLike(cause); cause = cause.cause) {
    const meaning = meaningOf(cause);
    if (meaning !== undefined) {
      return new ConnectError(`${address}: ${meaning}`, Code.Unavailable, undefined, undefined, error);
    }
  }
  return error;
}

/** By its looks: node's own errors are no instances of the `Error` of another realm. */
interface ErrorLike {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly cause?: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null;
}

function meaningOf(error: ErrorLike): string | undefined {
  if (error instanceof ServerCheckError) return error.message;
  const { code, reason } = error;
  if (typeof code !== 'string') return undefined;
  if (Object.hasOwn(MEANINGS, code)) return MEANINGS[code];
  // An alert of the other side, such as `tlsv13 alert certificate required`.
  if (code.startsWith('ERR_SSL_')) {
    return `the TLS handshake failed: ${typeof reason === 'string' ? reason : code}`;
  }
  return undefined;
}
