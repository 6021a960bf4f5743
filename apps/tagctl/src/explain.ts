import { Code, ConnectError } from '@connectrpc/connect';
import { formatDuration } from '@tagplane/runtime';
import { TagctlError } from './errors.ts';
import type { Target } from './settings.ts';

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

/** Makes a line for a person of a failed call: what happened, and what to do about it. */
export function explain(error: unknown, settings: Pick<Target, 'addressText' | 'timeoutMs'>): unknown {
  if (!(error instanceof ConnectError)) return error;
  return new TagctlError(explainCode(error, settings), { cause: error });
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

function explainCode(
  error: ConnectError,
  { addressText, timeoutMs }: Pick<Target, 'addressText' | 'timeoutMs'>,
): string {
  if (systemReason(error) !== undefined) return unreachable(error, addressText);
  switch (error.code) {
    case Code.Unavailable:
    case Code.Aborted:
    case Code.Canceled:
      return unreachable(error, addressText);
    case Code.DeadlineExceeded:
      return `no answer from ${addressText} within ${formatDuration(timeoutMs)}; allow longer with --timeout, or ${OTHER_ADDRESS}`;
    case Code.NotFound:
      return `not found: ${error.rawMessage}`;
    case Code.PermissionDenied:
      return `denied: ${error.rawMessage}`;
    case Code.Unauthenticated:
      return `${addressText} does not know who is asking: ${error.rawMessage}`;
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

function unreachable(error: ConnectError, addressText: string): string {
  return `cannot reach ${addressText}: ${reasonOf(error)}; is the auth service running? Otherwise ${OTHER_ADDRESS}`;
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
