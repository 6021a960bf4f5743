import { MINUTE, SECOND, jittered, sleep } from '@tagplane/runtime';
import { AuthCallError } from './auth-client.ts';
import type { UpsertLoopParts } from './upsert-loop.ts';
import { reportEpochChange } from './upsert-report.ts';

/** An emptied store is noticed within 18 s, also when there is nothing to send. */
const STATUS_INTERVAL_MS = 15 * SECOND;
const STATUS_JITTER = 0.2;
/** Renewals are looked for when the next one is due: at most this often (part of the TTL's slack) … */
const MIN_RENEWAL_PAUSE_MS = 5 * SECOND;
/** … and at least this often. What is accepted meanwhile is due in 50 minutes at the earliest. */
const MAX_RENEWAL_PAUSE_MS = MINUTE;

/** Queues renewals when their time has come. */
export async function runRenewalLoop({ scheduler }: UpsertLoopParts, signal: AbortSignal): Promise<void> {
  for (;;) {
    const now = Date.now();
    const next = scheduler.renew(now) ?? Infinity;
    await sleep(Math.min(MAX_RENEWAL_PAUSE_MS, Math.max(MIN_RENEWAL_PAUSE_MS, next - now)), signal);
  }
}

/** Asks for the store's epoch, which an idle discovery would otherwise not hear of. */
export async function runEpochLoop(parts: UpsertLoopParts, signal: AbortSignal): Promise<void> {
  const { scheduler, auth, log } = parts;
  for (;;) {
    await sleep(jittered(STATUS_INTERVAL_MS, STATUS_JITTER), signal);
    const { era } = scheduler.outbox;
    try {
      const epoch = await auth.epoch({ signal });
      if (scheduler.observeEpoch(epoch, era, Date.now())) reportEpochChange(parts, epoch);
    } catch (error) {
      if (signal.aborted || !(error instanceof AuthCallError)) throw error;
      // A lasting outage shows in the batches; this one alone is not worth a line at info.
      log.debug({ event: 'status_failed', code: error.code, reason: error.message });
    }
  }
}
