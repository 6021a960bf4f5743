import { StoreUnavailableError } from '@tagplane/store';
import { deadline, isAbort, sleep } from '@tagplane/runtime';

// SQLITE_BUSY, sqlite.org/rescode.html: another process holds the lock.
const BUSY = 5;
const RETRY_MS = 5;

/**
 * Runs a piece of work, again while another process holds the file's lock. Rejects with the signal's
 * reason, or with StoreUnavailableError on any other failure or when `timeoutMs` have passed.
 */
export async function whenFree<T>(
  work: () => T,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<T> {
  signal.throwIfAborted();
  try {
    return work();
  } catch (error) {
    if (!isBusy(error)) throw unavailable(error);
  }
  using limit = deadline(signal, timeoutMs);
  for (;;) {
    try {
      await sleep(RETRY_MS, limit.signal);
      return work();
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      if (!isBusy(error)) throw unavailable(error);
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === BUSY;
}

function unavailable(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreUnavailableError(`the embedded store does not answer: ${reason}`, { cause: error });
}
