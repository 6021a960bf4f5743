import { DeadlineError } from '@tagplane/runtime';

export interface Limits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

type OnAbort = (reason: Error) => void;

/** One listener for each signal: adding many to one signal takes time that grows with their square. */
const waiting = new WeakMap<AbortSignal, { readonly calls: Set<OnAbort>; readonly listener: () => void }>();

/**
 * The outcome of the work, unless the signal aborts or the time is over before; then its outcome is
 * dropped, and this rejects with the signal's reason or a DeadlineError.
 */
export function within<T>({ signal, timeoutMs }: Limits, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      settle();
      reject(new DeadlineError(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const onAbort: OnAbort = (reason) => {
      settle();
      reject(reason);
    };
    const settle = (): void => {
      clearTimeout(timer);
      forget(signal, onAbort);
    };
    listen(signal, onAbort);
    work.finally(settle).then(resolve, reject);
  });
}

function listen(signal: AbortSignal, onAbort: OnAbort): void {
  if (signal.aborted) {
    onAbort(signal.reason as Error);
    return;
  }
  let entry = waiting.get(signal);
  if (entry === undefined) {
    const calls = new Set<OnAbort>();
    const listener = (): void => {
      for (const call of [...calls]) call(signal.reason as Error);
    };
    entry = { calls, listener };
    waiting.set(signal, entry);
    signal.addEventListener('abort', listener, { once: true });
  }
  entry.calls.add(onAbort);
}

function forget(signal: AbortSignal, onAbort: OnAbort): void {
  const entry = waiting.get(signal);
  if (entry === undefined) return;
  entry.calls.delete(onAbort);
  if (entry.calls.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener('abort', entry.listener);
}
