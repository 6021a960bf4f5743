/**
 * `throttled`: AWS asked for fewer requests, and went on asking through all retries. `denied`: the
 * credentials are missing, wrong or not allowed to. `unreachable`: no usable answer in time, also when the
 * service answered with a fault of its own (5xx). `aborted`: by the caller's signal.
 */
export type AwsCallErrorKind = 'throttled' | 'denied' | 'unreachable' | 'aborted' | 'other';

export interface AwsCallFailure {
  /** As people say it: `STS`, `Organizations`, `SQS`, `SSM`. */
  readonly service: string;
  /** Such as `ListAccounts`. */
  readonly operation: string;
  readonly kind: AwsCallErrorKind;
  /** The code that AWS or the system gave, such as `AccessDeniedException` or `ECONNREFUSED`. */
  readonly code: string;
  /** What a person can do about it, when that is known. */
  readonly fix?: string | undefined;
}

/**
 * A call that did not succeed. The message has no secret: it is made of names, never of what was sent.
 * `cause` is the SDK's own error.
 */
export class AwsCallError extends Error {
  override readonly name = 'AwsCallError';
  readonly service: string;
  readonly operation: string;
  readonly kind: AwsCallErrorKind;
  readonly code: string;
  readonly fix: string | undefined;

  constructor(failure: AwsCallFailure, options?: { cause?: unknown }) {
    const { service, operation, kind, code, fix } = failure;
    super(`${service} ${operation}: ${kind}, ${code}${fix === undefined ? '' : `: ${fix}`}`, options);
    this.service = service;
    this.operation = operation;
    this.kind = kind;
    this.code = code;
    this.fix = fix;
  }
}

const THROTTLED: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'OverLimit',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
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
  'AuthorizationError',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'KmsAccessDenied',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnauthorizedOperation',
  'UnrecognizedClientException',
]);

const UNREACHABLE: ReadonlySet<string> = new Set([
  'DeadlineError',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TimeoutError',
]);

/** The codes that say that the caller's own credentials do not work, whatever they were used for. */
export const BAD_CREDENTIALS: ReadonlySet<string> = new Set([
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClientException',
]);

/** Sorts an error of the SDK; `aborted` is never its answer: only the caller's signal tells that. */
export function classify(error: unknown): { kind: Exclude<AwsCallErrorKind, 'aborted'>; code: string } {
  const { name, code: systemCode, $metadata } = fieldsOf(error);
  const status = $metadata?.httpStatusCode ?? 0;
  // The code of AWS comes as the error's name, that of the system as `code`.
  const codes = [name, systemCode].filter((text) => typeof text === 'string');
  const known = (set: ReadonlySet<string>): string | undefined => codes.find((code) => set.has(code));
  const throttled = known(THROTTLED) ?? (status === 429 ? codes[0] : undefined);
  if (throttled !== undefined) return { kind: 'throttled', code: throttled };
  const denied = known(DENIED);
  if (denied !== undefined) return { kind: 'denied', code: denied };
  // A 5xx need not be the service's own, nor readable: then its status says more than what failed in reading it.
  const fault = codes[0] === undefined || codes[0] === 'SyntaxError' ? `HTTP ${status}` : codes[0];
  const unreachable = known(UNREACHABLE) ?? (status >= 500 ? fault : undefined);
  if (unreachable !== undefined) return { kind: 'unreachable', code: unreachable };
  return { kind: 'other', code: codes[0] ?? 'unknown' };
}

/** Who was refused, as AWS names them in its refusal: an ARN, or undefined when it does not say. */
export function refusedCaller(error: unknown): string | undefined {
  const { message } = fieldsOf(error);
  if (typeof message !== 'string') return undefined;
  return /\bUser: (arn:[\w-]+:(?:iam|sts)::\d{12}:[\w+=,.@/-]+)/.exec(message)?.[1];
}

/** By what it has, not by its class: an error may come from another realm than this module's. */
function fieldsOf(error: unknown): {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  $metadata?: { httpStatusCode?: number };
} {
  return typeof error === 'object' && error !== null ? error : {};
}
