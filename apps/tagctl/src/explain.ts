import { Code, ConnectError } from '@connectrpc/connect';
import { formatDuration } from '@tagplane/runtime';
import { LOG_IN, TagctlError } from './errors.ts';
import type { Security, Target } from './settings.ts';

/** How to name the auth service from here on, for every message that a wrong address can cause. */
const OTHER_ADDRESS = 'give another with --address or TAGPLANE_ADDRESS';

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be looked up',
  ETIMEDOUT: 'it does not answer',
  ERR_HTTP2_ERROR: 'what listens there speaks another protocol',
};

/** What was spoken to, and how. */
export interface Spoken extends Pick<Target, 'addressText' | 'timeoutMs'> {
  readonly mode: Security['mode'];
}

/** Makes a line for a person of a failed call: what happened, and what to do about it. */
export function explain(error: unknown, spoken: Spoken): unknown {
  if (!(error instanceof ConnectError)) return error;
  return new TagctlError(explainCode(error, spoken), { cause: error });
}

/** Whether a call may do better when tried again: the connection failed, not the request. */
export function isLostConnection(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  switch (error.code) {
    case Code.Unavailable:
    case Code.Aborted:
    case Code.Canceled:
    case Code.DeadlineExceeded:
    case Code.Internal:
    case Code.Unknown:
      return true;
    default:
      return false;
  }
}

function explainCode(error: ConnectError, spoken: Spoken): string {
  const { addressText, timeoutMs, mode } = spoken;
  if (systemReason(error) !== undefined) return unreachable(error, spoken);
  switch (error.code) {
    case Code.Unavailable:
    case Code.Aborted:
    case Code.Canceled:
      return unreachable(error, spoken);
    case Code.DeadlineExceeded:
      return `no answer from ${addressText} within ${formatDuration(timeoutMs)}; allow longer with --timeout, or ${OTHER_ADDRESS}`;
    case Code.NotFound:
      return `not found: ${error.rawMessage}`;
    case Code.PermissionDenied:
      return `denied: ${error.rawMessage}`;
    case Code.Unauthenticated:
      if (error.rawMessage.startsWith('locked')) {
        return `${addressText} shuts you out: ${error.rawMessage}; another operator can end that: tagctl lock rm`;
      }
      return `${addressText} does not know who is asking: ${error.rawMessage}${mode === 'mutual' ? `; ${LOG_IN}` : ''}`;
    case Code.ResourceExhausted:
      return `${addressText} is at a limit: ${error.rawMessage}; try again later`;
    case Code.InvalidArgument:
    case Code.OutOfRange:
    case Code.FailedPrecondition:
      return `${addressText} refused the request: ${error.rawMessage}`;
    case Code.Unimplemented:
      return `${addressText} does not offer this; it may be of another version, or no auth service: ${OTHER_ADDRESS}`;
    default:
      return `${addressText} failed: ${reasonOf(error)}; its log may say more`;
  }
}

function unreachable(error: ConnectError, { addressText, mode }: Spoken): string {
  // A handshake that failed says itself what is wrong with the other side.
  if (error.rawMessage.startsWith(`${addressText}: `)) {
    return `${error.rawMessage}; ${handshakeHint(error.rawMessage)}`;
  }
  const broke = mode === 'insecure' && brokeOff(error);
  const question = broke
    ? 'if it wants TLS, leave --insecure out; otherwise'
    : 'is the auth service running? Otherwise';
  return `cannot reach ${addressText}: ${reasonOf(error)}; ${question} ${OTHER_ADDRESS}`;
}

function handshakeHint(problem: string): string {
  if (problem.includes('does not speak TLS')) {
    return `${OTHER_ADDRESS} (--insecure speaks without TLS, on loopback)`;
  }
  if (!problem.includes('has the pin')) return OTHER_ADDRESS;
  return `compare the pin with what 'tagctl ca status' shows an operator, or ${OTHER_ADDRESS}`;
}

/** Whether there was a connection, and it was broken off: so a service with TLS answers plain text. */
function brokeOff(error: ConnectError): boolean {
  const reason = systemReason(error);
  if (reason === undefined) return error.code === Code.Canceled;
  return reason === SYSTEM_ERRORS['ERR_HTTP2_ERROR'] || reason === SYSTEM_ERRORS['ECONNRESET'];
}

/** Why, in a few words. */
export function reasonOf(error: unknown): string {
  const system = systemReason(error);
  if (system !== undefined) return system;
  if (error instanceof ConnectError) return error.rawMessage === '' ? 'no reason given' : error.rawMessage;
  return error instanceof Error ? error.message : String(error);
}

/** What the system said, if an error of its own is among the causes. */
function systemReason(error: unknown): string | undefined {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = (cause as Error).cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code === 'string' && Object.hasOwn(SYSTEM_ERRORS, code)) return SYSTEM_ERRORS[code];
  }
  return undefined;
}
