import { SECOND, fullJitter, sleep } from '@tagplane/runtime';
import { isLargeLoss } from '@tagplane/serverinfo';
import type { ScopeLoss } from '@tagplane/serverinfo';
import { AuthCallError } from './auth-client.ts';
import type { Leave } from './auth-client.ts';
import type { UpsertLoopParts } from './upsert-loop.ts';

/** A loss that waits because nobody answers is not to wait for the next scan. */
const RETRY = { baseMs: 2 * SECOND, maxMs: 30 * SECOND };

/** Scopes with a loss that was not let go, and why: the hold, or that nobody answered. */
type Waiting = Map<string, string>;

const UNANSWERED = '';

/**
 * Asks leave for losses of labels, after each scan, until the signal aborts. What is held is asked about
 * again after the next scan. Without an answer a small loss goes on, and a large one waits.
 */
export async function runGuardLoop(parts: UpsertLoopParts, signal: AbortSignal): Promise<void> {
  const { scheduler } = parts;
  const waiting: Waiting = new Map();
  for (let failures = 0; ;) {
    await scheduler.losses.asked(signal);
    const answered = await askAll(parts, waiting, signal);
    failures = answered ? 0 : failures + 1;
    if (answered) continue;
    await sleep(fullJitter(failures, RETRY), signal);
    scheduler.losses.ask();
  }
}

/** @returns whether nothing has to be asked again soon */
async function askAll(parts: UpsertLoopParts, waiting: Waiting, signal: AbortSignal): Promise<boolean> {
  const losses = parts.scheduler.losses.requests(Date.now());
  const scopes = new Set(losses.map(({ scope }) => scope));
  const over = [...waiting.keys()].filter((scope) => !scopes.has(scope));
  let answered = true;
  for (const loss of [...over.map(noLoss), ...losses]) {
    answered = (await askOne(parts, loss, waiting, signal)) && answered;
  }
  return answered;
}

/** Tells that what was held is not asked for any more. */
function noLoss(scope: string): ScopeLoss {
  return { scope, fingerprint: 'none', losing: [], fresh: 0, total: 0 };
}

async function askOne(
  parts: UpsertLoopParts,
  loss: ScopeLoss,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<boolean> {
  const { auth, scheduler, metrics } = parts;
  let leave: Leave;
  try {
    leave = await auth.requestChange(loss, { signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof AuthCallError)) throw error;
    metrics.leave.inc({ verdict: 'failed' });
    return onFailure(parts, loss, waiting, error);
  }
  metrics.leave.inc({ verdict: leave.verdict });
  if (leave.verdict === 'go') {
    scheduler.grant(loss, Date.now());
    reportGo(parts, loss, waiting);
  } else {
    reportHeld(parts, loss, waiting, leave);
  }
  return true;
}

function onFailure(parts: UpsertLoopParts, loss: ScopeLoss, waiting: Waiting, error: AuthCallError): boolean {
  const { scheduler, log } = parts;
  if (!isLargeLoss(loss)) {
    scheduler.grant(loss, Date.now());
    waiting.delete(loss.scope);
    return true;
  }
  if (!waiting.has(loss.scope)) {
    log.warn({ event: 'change_unanswered', ...figures(loss), code: error.code, reason: error.message });
    waiting.set(loss.scope, UNANSWERED);
  }
  return false;
}

function reportGo({ log }: UpsertLoopParts, loss: ScopeLoss, waiting: Waiting): void {
  if (!waiting.delete(loss.scope)) return;
  log.info({ event: 'change_let_go', ...figures(loss) });
}

/** Once for each hold, and once more when it is dropped. */
function reportHeld(
  { log }: UpsertLoopParts,
  loss: ScopeLoss,
  waiting: Waiting,
  { verdict, holdId }: Exclude<Leave, { verdict: 'go' }>,
): void {
  const state = `${verdict} ${holdId}`;
  if (waiting.get(loss.scope) === state) return;
  waiting.set(loss.scope, state);
  log.warn({ event: 'change_held', ...figures(loss), verdict, hold: holdId });
}

function figures({ scope, losing, total }: ScopeLoss) {
  return { scope, instances: losing.length, labelled_instances: total };
}
