import { isAbort } from '@tagplane/runtime';
import type { Scope, ScopeSet } from './estate/scope.ts';
import { runScanLoop } from './scan-loop.ts';
import type { ScanParts } from './scan-loop.ts';

/** A scope's scans end because the scope does. */
class ScopeOverError extends Error {
  override readonly name = 'ScopeOverError';
}

/** Second scans are spread over the last three quarters of the interval: no two follow on each other's heels. */
const FIRST_PHASE = 0.25;

export interface ScanRunnerParts extends ScanParts {
  readonly scopes: ScopeSet;
  /** Scans that are under way at one time. */
  readonly maxConcurrentScans: number;
}

/**
 * Scans every scope over and over, and follows the set as it changes, until the signal aborts. More scopes
 * than are scanned at a time take turns, and their scans spread over the poll interval.
 *
 * @throws what a scan failed with that is no failure of EC2
 */
export async function runScans(parts: ScanRunnerParts, signal: AbortSignal): Promise<void> {
  const { scopes, scheduler, metrics } = parts;
  const running = new Map<Scope, AbortController>();
  const tasks = new Set<Promise<void>>();
  const failed = Promise.withResolvers<never>();
  const begin = (scope: Scope, phase: number | undefined): void => {
    const stop = new AbortController();
    running.set(scope, stop);
    const task = runScanLoop({ ...parts, scope, phase }, AbortSignal.any([signal, stop.signal]))
      .catch((error: unknown) => {
        if (!isAbort(error, signal) && !isAbort(error, stop.signal)) failed.reject(error);
      })
      .finally(() => tasks.delete(task));
    tasks.add(task);
  };
  const follow = (): void => {
    const current = new Set(scopes.current());
    const ids = new Set(scopes.current().map(({ id }) => id));
    for (const [scope, stop] of running) {
      if (current.has(scope)) continue;
      running.delete(scope);
      stop.abort(new ScopeOverError(`${scope.id} is no more`));
      if (ids.has(scope.id)) continue;
      scheduler.left(scope.id);
      metrics.forget(scope.id);
    }
    const begun = [...current].filter((scope) => !running.has(scope));
    const spread = current.size > parts.maxConcurrentScans;
    for (const [index, scope] of begun.entries())
      begin(scope, spread ? phaseOf(index, begun.length) : undefined);
  };
  const unfollow = scopes.onChange(follow);
  try {
    follow();
    await Promise.race([untilAborted(signal), failed.promise]);
  } finally {
    unfollow();
    for (const stop of running.values()) stop.abort(new ScopeOverError('the scans end'));
    await Promise.all(tasks);
  }
}

function phaseOf(index: number, count: number): number {
  return FIRST_PHASE + ((1 - FIRST_PHASE) * (index + 1)) / count;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
