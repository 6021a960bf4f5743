import { Code, ConnectError } from '@connectrpc/connect';
import { TooManyHoldsError } from '../guard/guard.ts';

/** @throws ConnectError RESOURCE_EXHAUSTED for too many holds; anything else as it is */
export function translateGuardError(error: unknown): never {
  if (!(error instanceof TooManyHoldsError)) throw error;
  throw new ConnectError(error.message, Code.ResourceExhausted, undefined, undefined, error);
}
