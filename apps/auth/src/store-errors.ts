import { Code, ConnectError } from '@connectrpc/connect';
import { StoreUnavailableError } from '@tagplane/store';

/** UNAVAILABLE for a store that cannot be reached: the caller should try again later, here or elsewhere. */
export function translateStoreError(error: unknown): ConnectError | undefined {
  if (!(error instanceof StoreUnavailableError)) return undefined;
  return new ConnectError('the store cannot be reached', Code.Unavailable, undefined, undefined, error);
}
