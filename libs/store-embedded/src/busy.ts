import { GuardError, StoreUnavailableError } from '@tagplane/store';
import { deadline, isAbort, sleep } from '@tagplane/runtime';
import { isBusy, reasonOf } from './sqlite-error.ts';

const RETRY_MS = 5;

/**
 * Runs a piece of work, again while another process holds the file's lock. Rejects with the signal's
 * reason, with the work's GuardError, or with StoreUnavailableError on any other failure or when `timeoutMs` have passed.
 */
export async function whenFree<T>(
  work: () => T,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<T> {
  signal.throwIfAborted();
  try {
    return work();
  } catch (error) {
    if (!isBusy(error)) throw failure(error);
  }
  using limit = deadline(signal, timeoutMs);
  for (;;) {
    try {
      await sleep(RETRY_MS, limit.signal);
      return work();
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      if (!isBusy(error)) throw failure(error);
    }
  }
}

function failure(error: unknown): Error {
  if (error instanceof GuardError) return error;
  return new StoreUnavailableError(`the embedded store does not answer: ${reasonOf(error)}`, {
    cause: error,
  });
}
