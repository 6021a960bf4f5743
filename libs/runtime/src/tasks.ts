/** A task runs until its work is done or the signal aborts; it may then reject with the signal's reason. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** Names the task of a group that failed. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  constructor(task: string, cause: unknown) {
    super(`${task}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
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
          if (stop.signal.aborted && isAbort(error, stop.signal)) return;
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

/** Whether this error is only the echo of the signal's abort. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
