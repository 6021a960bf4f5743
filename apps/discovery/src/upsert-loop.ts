import Bottleneck from 'bottleneck';
import { SECOND, deadline, fullJitter, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { BATCH_INTERVAL_MS } from '@tagplane/serverinfo';
import { AuthCallError } from './auth-client.ts';
import type { AuthClient } from './auth-client.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import { reportEpochChange, reportResults } from './upsert-report.ts';
import type { Dispatch, UpsertScheduler } from './upsert-scheduler.ts';

/** A slow answer (each has 10 s) delays the next start only when four of them are slow. */
const MAX_CALLS_IN_FLIGHT = 4;
const BACKOFF = { baseMs: SECOND, maxMs: 30 * SECOND };
/** What is in flight at the end may still be answered; the process has 5 s to stop. */
const DRAIN_MS = 3 * SECOND;

export interface UpsertLoopParts {
  readonly scheduler: UpsertScheduler;
  readonly auth: AuthClient;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
}

/** Failed calls in a row, and until when to leave the auth service alone. */
interface Pause {
  failures: number;
  until: number;
}

/** Sends what the scheduler has, a batch a second from start to start, until the signal aborts. */
export async function runUpsertLoop(parts: UpsertLoopParts, signal: AbortSignal): Promise<void> {
  const pause: Pause = { failures: 0, until: 0 };
  await using launcher = createLauncher(signal, (own) => sendNext(parts, pause, own));
  for (;;) {
    signal.throwIfAborted();
    if (parts.scheduler.queueLength === 0) await parts.scheduler.work.wait(signal);
    if (pause.until > Date.now()) await sleep(pause.until - Date.now(), signal);
    await launcher.launch();
  }
}

/**
 * Starts calls at their pace. After the signal no more start; disposing waits for those in flight, and
 * gives them up in the end.
 */
function createLauncher(
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<void>,
): AsyncDisposable & { launch(): Promise<void> } {
  const limiter = new Bottleneck({ minTime: BATCH_INTERVAL_MS, maxConcurrent: MAX_CALLS_IN_FLIGHT });
  const drain = new AbortController();
  let stopped: Promise<void> | undefined;
  const stop = (): void => {
    stopped ??= limiter.stop({ dropWaitingJobs: true });
  };
  signal.addEventListener('abort', stop, { once: true });
  return {
    async launch() {
      const started = Promise.withResolvers<undefined>();
      const job = limiter.schedule(() => {
        started.resolve(undefined);
        return call(drain.signal);
      });
      try {
        await Promise.race([started.promise, job]);
      } catch (error) {
        // Dropped before it started: the limiter was stopped.
        signal.throwIfAborted();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', stop);
      using giveUp = deadline(drain.signal, DRAIN_MS);
      giveUp.signal.addEventListener('abort', () => {
        drain.abort(giveUp.signal.reason);
      });
      stop();
      await stopped;
    },
  };
}

async function sendNext(parts: UpsertLoopParts, pause: Pause, signal: AbortSignal): Promise<void> {
  const { scheduler, metrics, log } = parts;
  const startedAt = Date.now();
  const dispatch = scheduler.next(startedAt);
  if (dispatch === undefined) return;
  const { action } = dispatch;
  try {
    await send(parts, dispatch, signal);
    pause.failures = 0;
    metrics.batches.inc({ action, result: 'answered' });
  } catch (error) {
    scheduler.failed(dispatch);
    pause.until = Date.now() + fullJitter(pause.failures, BACKOFF);
    pause.failures += 1;
    metrics.batches.inc({ action, result: 'failed' });
    const detail =
      error instanceof AuthCallError ? { code: error.code, reason: error.message } : { err: error };
    log.warn({ event: 'batch_failed', action, failures: pause.failures, ...detail });
  } finally {
    metrics.callSeconds.observe({ action }, (Date.now() - startedAt) / SECOND);
  }
}

async function send(parts: UpsertLoopParts, dispatch: Dispatch, signal: AbortSignal): Promise<void> {
  const { scheduler, auth, metrics, log } = parts;
  if (dispatch.action === 'delete') {
    const result = await deleteAll(auth, dispatch.names, signal);
    scheduler.deleted(dispatch);
    metrics.deletes.inc({ result: result === undefined ? 'accepted' : 'refused' }, dispatch.names.length);
    if (result !== undefined) log.warn({ event: 'delete_refused', names: dispatch.names, reason: result });
    return;
  }
  const drafts = dispatch.items.map((item) => item.draft);
  const { results, epoch } = await auth.upsert(drafts, { signal });
  if (scheduler.observeEpoch(epoch, dispatch.era, Date.now())) reportEpochChange(parts, epoch);
  scheduler.answered(dispatch, results, Date.now());
  reportResults(parts, dispatch.items, results);
}

/** @returns why the auth service will never do it; undefined when it did */
async function deleteAll(
  auth: AuthClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await auth.delete(names, { signal });
    return undefined;
  } catch (error) {
    if (error instanceof AuthCallError && error.final) return error.message;
    throw error;
  }
}
