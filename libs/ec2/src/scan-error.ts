import type { Region } from '@tagplane/identity';

/**
 * `throttled`: EC2 asked for fewer requests, and went on asking through all retries. `denied`: the
 * credentials are missing, wrong or not allowed to. `unreachable`: no usable answer in time, also when
 * EC2 answered with a fault of its own (5xx). `aborted`: by the caller's signal.
 */
export type ScanErrorKind = 'throttled' | 'denied' | 'unreachable' | 'aborted' | 'other';

export interface ScanFailure {
  readonly kind: ScanErrorKind;
  readonly region: Region;
  /** Requests of the whole scan up to here, retries included. */
  readonly requests: number;
  /** The code that EC2 or the system gave, such as `RequestLimitExceeded` or `ECONNREFUSED`. */
  readonly code: string;
}

/** A scan that did not complete. `cause` is the SDK's own error. */
export class ScanError extends Error {
  override readonly name = 'ScanError';
  readonly kind: ScanErrorKind;
  readonly region: Region;
  readonly requests: number;
  readonly code: string;

  constructor(failure: ScanFailure, options?: { cause?: unknown }) {
    super(`scan of ${failure.region} failed: ${failure.kind}, ${failure.code}`, options);
    this.kind = failure.kind;
    this.region = failure.region;
    this.requests = failure.requests;
    this.code = failure.code;
  }
}

const THROTTLED: ReadonlySet<string> = new Set([
  'EC2ThrottledException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthFailure',
  'Blocked',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'MissingAuthenticationToken',
  'OptInRequired',
  'PendingVerification',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnauthorizedOperation',
]);

const UNREACHABLE: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
]);

/** Sorts an error of the SDK; `aborted` is never its answer: only the caller's signal tells that. */
export function classify(error: unknown): { kind: Exclude<ScanErrorKind, 'aborted'>; code: string } {
  const status = statusOf(error);
  const codes = codesOf(error);
  const known = (set: ReadonlySet<string>): string | undefined => codes.find((code) => set.has(code));
  const throttled = known(THROTTLED) ?? (status === 429 ? codes[0] : undefined);
  if (throttled !== undefined) return { kind: 'throttled', code: throttled };
  const denied = known(DENIED);
  if (denied !== undefined) return { kind: 'denied', code: denied };
  const unreachable = known(UNREACHABLE) ?? (status >= 500 ? codes[0] : undefined);
  if (unreachable !== undefined) return { kind: 'unreachable', code: unreachable };
  return { kind: 'other', code: codes[0] ?? 'unknown' };
}

/**
 * Whether EC2 asked for fewer requests: also with a plain 503, which it answers when it is overloaded.
 */
export function isThrottle(error: unknown): boolean {
  return classify(error).kind === 'throttled' || statusOf(error) === 503;
}

/** An error of the SDK as a scan's, with what was going on when it came. */
export function toScanError(
  error: unknown,
  at: {
    readonly region: Region;
    /** Before the request that failed. */
    readonly requests: number;
    /** By the caller. */
    readonly aborted: boolean;
    /** Whether time had run out. */
    readonly late: boolean;
  },
): ScanError {
  const { region } = at;
  const requests = at.requests + attemptsOf(error);
  if (at.aborted)
    return new ScanError({ kind: 'aborted', region, requests, code: 'AbortError' }, { cause: error });
  if (at.late)
    return new ScanError({ kind: 'unreachable', region, requests, code: 'PageTimeout' }, { cause: error });
  return new ScanError({ ...classify(error), region, requests }, { cause: error });
}

/** Attempts that the SDK counted on a failed request; 0 when it never got as far as sending. */
export function attemptsOf(error: unknown): number {
  return metadataOf(error).attempts ?? 0;
}

/** The code of EC2 comes as the error's name, that of the system as `code`. */
function codesOf(error: unknown): string[] {
  const { name, code } = fieldsOf(error);
  return [name, code].filter((text) => typeof text === 'string');
}

function statusOf(error: unknown): number {
  return metadataOf(error).httpStatusCode ?? 0;
}

function metadataOf(error: unknown): { attempts?: number; httpStatusCode?: number } {
  return fieldsOf(error).$metadata ?? {};
}

/** By what it has, not by its class: an error may come from another realm than this module's. */
function fieldsOf(error: unknown): {
  name?: unknown;
  code?: unknown;
  $metadata?: { attempts?: number; httpStatusCode?: number };
} {
  return typeof error === 'object' && error !== null ? error : {};
}
