import { errorMessage } from './error-message.ts';

/** A task runs until its work is done or the signal aborts; it may then reject with the signal's reason. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** Longer chains of causes than this are nobody's, or a circle. */
const MAX_CAUSES = 8;

/** Names the task of a group that failed. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  constructor(task: string, cause: unknown) {
    super(`${task}: ${errorMessage(cause)}`, { cause });
  }
}

/**
 * Runs tasks side by side until all have ended. The first failure aborts the others; all are awaited
 * before it is thrown, as a TaskError. An abort from outside is no failure. A task that merely returns
 * leaves the others running.
 */
export async function runTasks(signal: AbortSignal, tasks: Readonly<Record<string, Task>>): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => {
    stop.abort(signal.reason);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  let failure: TaskError | undefined;
  try {
    await Promise.all(
      Object.entries(tasks).map(async ([name, task]) => {
        try {
          await task(stop.signal);
        } catch (error) {
          if (isAbort(error, stop.signal)) return;
          failure ??= new TaskError(name, error);
          stop.abort(failure);
        }
      }),
    );
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  if (failure !== undefined) throw failure;
}

/**
 * Whether this error is only the echo of the signal's abort: its reason, an AbortError as Node and
 * fetch make them, or an error that names one of these as its cause.
 */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  let echo = error;
  for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
    if (echo === signal.reason) return true;
    if (typeof echo !== 'object' || echo === null) return false;
    if ('name' in echo && echo.name === 'AbortError') return true;
    echo = 'cause' in echo ? echo.cause : undefined;
  }
  return false;
}
