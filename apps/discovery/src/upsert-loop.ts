import Bottleneck from 'bottleneck';
import { SECOND, deadline, fullJitter, runTasks, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { BATCH_INTERVAL_MS, EXPRESS_INTERVAL_MS } from '@tagplane/serverinfo';
import { AuthCallError } from './auth-client.ts';
import type { AuthClient } from './auth-client.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import { reportEpochChange, reportResults } from './upsert-report.ts';
import type { Dispatch } from './dispatch.ts';
import type { UpsertScheduler } from './upsert-scheduler.ts';

/** A slow answer (each has 10 s) delays the next start only when four of them are slow. */
const MAX_CALLS_IN_FLIGHT = 4;
/** Beside those: what is behind an express call goes with the next one. */
const MAX_EXPRESS_IN_FLIGHT = 1;
const BACKOFF = { baseMs: SECOND, maxMs: 30 * SECOND };
/** What is in flight at the end may still be answered; the process has 5 s to stop. */
const DRAIN_MS = 3 * SECOND;

export interface UpsertLoopParts {
  readonly scheduler: UpsertScheduler;
  readonly auth: AuthClient;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
  /** Told of each item that the auth service has taken, by its name. */
  readonly onAccepted?: ((name: string, now: number) => void) | undefined;
}

/** Failed calls in a row, and until when to leave the auth service alone. */
interface Pause {
  failures: number;
  until: number;
}

/** One of the two ways out of the queue. */
interface Way {
  next(now: number): Dispatch | undefined;
  /** Resolves when there may be something to send. */
  due(signal: AbortSignal): Promise<void>;
  readonly intervalMs: number;
  readonly maxInFlight: number;
}

/**
 * Sends what the scheduler has until the signal aborts: a batch a second from start to start, and what is
 * urgent apart from it, five calls a second at most. When a call fails, both wait.
 */
export async function runUpsertLoop(parts: UpsertLoopParts, signal: AbortSignal): Promise<void> {
  const { scheduler } = parts;
  const pause: Pause = { failures: 0, until: 0 };
  const paced: Way = {
    next: (now) => scheduler.outbox.next(now),
    due: async (own) => {
      if (scheduler.outbox.pacedLength === 0) await scheduler.outbox.work.wait(own);
    },
    intervalMs: BATCH_INTERVAL_MS,
    maxInFlight: MAX_CALLS_IN_FLIGHT,
  };
  const express: Way = {
    next: (now) => scheduler.outbox.nextUrgent(now),
    due: async (own) => {
      if (scheduler.outbox.expressLength === 0) await scheduler.outbox.urgentWork.wait(own);
    },
    intervalMs: EXPRESS_INTERVAL_MS,
    maxInFlight: MAX_EXPRESS_IN_FLIGHT,
  };
  await runTasks(signal, {
    paced: (own) => runWay(parts, paced, pause, own),
    express: (own) => runWay(parts, express, pause, own),
  });
}

async function runWay(parts: UpsertLoopParts, way: Way, pause: Pause, signal: AbortSignal): Promise<void> {
  await using launcher = createLauncher(signal, way, (own) => sendNext(parts, way, pause, own));
  for (;;) {
    signal.throwIfAborted();
    await way.due(signal);
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
  { intervalMs, maxInFlight }: Way,
  call: (signal: AbortSignal) => Promise<void>,
): AsyncDisposable & { launch(): Promise<void> } {
  const limiter = new Bottleneck({ minTime: intervalMs, maxConcurrent: maxInFlight });
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

async function sendNext(parts: UpsertLoopParts, way: Way, pause: Pause, signal: AbortSignal): Promise<void> {
  const { scheduler, metrics, log } = parts;
  const startedAt = Date.now();
  const dispatch = way.next(startedAt);
  if (dispatch === undefined) return;
  const { action } = dispatch;
  try {
    await send(parts, dispatch, signal);
    pause.failures = 0;
    metrics.batches.inc({ action, result: 'answered' });
  } catch (error) {
    scheduler.outbox.failed(dispatch);
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
    scheduler.outbox.deleted(dispatch);
    const { names, urgent } = dispatch;
    metrics.deletes.inc({ result: result === undefined ? 'accepted' : 'refused' }, names.length);
    if (result === undefined) {
      metrics.changes.inc({ source: 'event' }, urgent);
      metrics.changes.inc({ source: 'poll' }, names.length - urgent);
    }
    if (result !== undefined) log.warn({ event: 'delete_refused', names: dispatch.names, reason: result });
    return;
  }
  const drafts = dispatch.items.map((item) => item.draft);
  const { results, epoch } = await auth.upsert(drafts, { signal });
  if (scheduler.observeEpoch(epoch, dispatch.era, Date.now())) reportEpochChange(parts, epoch);
  scheduler.outbox.answered(dispatch, results, Date.now());
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
