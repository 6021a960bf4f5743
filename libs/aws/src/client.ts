import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { Region } from '@tagplane/identity';
import { DeadlineError, SECOND, deadline } from '@tagplane/runtime';
import { AwsCallError, classify } from './call-error.ts';
import { fixFor } from './fixes.ts';
import { RoleError } from './role-error.ts';

/** Credentials, or a function that gets them; the SDK's own types fit. */
export type AwsCredentialSource = NonNullable<STSClientConfig['credentials']>;

/** Where and as whom AWS is called. */
export interface AwsCallOptions {
  readonly region: Region;
  /** Default: the SDK's chain (environment, profile, container, instance role). */
  readonly credentials?: AwsCredentialSource | undefined;
  /** Default: AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, then the service's own of the region. */
  readonly endpoint?: string | undefined;
}

const CONNECTION_TIMEOUT_MS = 5 * SECOND;
/** To the first byte of an answer: longer than SQS's longest wait for a message, 20 s. */
const REQUEST_TIMEOUT_MS = 30 * SECOND;

/** What every client of this library is made with: every wait and the number of connections are bounded. */
export function clientSettings(
  { region, credentials, endpoint }: AwsCallOptions,
  limits: { readonly maxAttempts: number; readonly connections: number },
) {
  const agent = { keepAlive: true, maxSockets: limits.connections };
  return {
    region,
    ...(credentials === undefined ? {} : { credentials }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: limits.maxAttempts,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

/** One call of a service, for errors. */
export interface AwsCall {
  readonly service: string;
  readonly operation: string;
  readonly region: Region;
  /** What was asked for, for the fix of an error: a queue, a document; never a secret. */
  readonly subject?: string | undefined;
}

/**
 * Runs one call, with all its retries and pages, until it ends, the signal aborts or the time is over.
 *
 * @throws AwsCallError, or the RoleError of the credentials that it was to be made with
 */
export async function callAws<T>(
  call: AwsCall,
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limit = deadline(limits.signal, limits.timeoutMs);
  try {
    return await unlessAborted(run, limit.signal);
  } catch (error) {
    const role = roleErrorIn(error);
    if (role !== undefined && !calledOff(limits.signal)) throw role;
    throw callError(call, error, limits.signal, limit.signal);
  }
}

/**
 * The SDK sleeps through the pauses between its retries whatever the signal says: they are left behind.
 */
async function unlessAborted<T>(run: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([run(signal), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function callError(
  { service, operation, region, subject }: AwsCall,
  error: unknown,
  asked: AbortSignal,
  limit: AbortSignal,
): AwsCallError {
  if (calledOff(asked)) {
    return new AwsCallError({ service, operation, kind: 'aborted', code: 'AbortError' }, { cause: error });
  }
  const { kind, code } = limit.aborted
    ? { kind: 'unreachable' as const, code: 'CallTimeout' }
    : classify(error);
  const fix = fixFor({ service, operation, region, subject, kind, code, cause: error });
  return new AwsCallError({ service, operation, kind, code, fix }, { cause: error });
}

/** Whether it was the caller's will; the end of a time that was set for several calls is not. */
function calledOff(signal: AbortSignal): boolean {
  return signal.aborted && !(signal.reason instanceof DeadlineError);
}

/** The refusal of a role, where the credentials of a call came to nothing. */
function roleErrorIn(error: unknown): RoleError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof RoleError) return each;
  }
  return undefined;
}
