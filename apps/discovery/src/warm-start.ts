import { SECOND, fullJitter, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { Sent } from '@tagplane/serverinfo';
import type { AuthClient } from './auth-client.ts';
import { AuthCallError } from './auth-client.ts';
import type { UpsertScheduler } from './upsert-scheduler.ts';

/** Soon after the auth service is up, and no burden while it is down. */
const BACKOFF = { baseMs: SECOND, maxMs: 15 * SECOND };

export interface WarmStart {
  /** Why the auth service has not told yet; undefined before the first try and once it has. */
  readonly problem: string | undefined;
  /** Asks until the auth service has told what it holds, then warms the scheduler. */
  run(signal: AbortSignal): Promise<void>;
}

export function createWarmStart(auth: AuthClient, scheduler: UpsertScheduler, log: Logger): WarmStart {
  let problem: string | undefined;
  return {
    get problem() {
      return problem;
    },
    async run(signal) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const { held, epoch } = await listAll(auth, signal);
          problem = undefined;
          scheduler.warm(held, epoch, Date.now());
          log.info({ event: 'warm_start_completed', server_infos: held.length, store_epoch: epoch });
          return;
        } catch (error) {
          if (signal.aborted || !(error instanceof AuthCallError)) throw error;
          problem = error.message;
          log.warn({ event: 'warm_start_failed', code: error.code, reason: error.message, attempt });
        }
        await sleep(fullJitter(attempt, BACKOFF), signal);
      }
    },
  };
}

/** All pages, of one life of the store: a new epoch in the middle means starting over. */
async function listAll(auth: AuthClient, signal: AbortSignal): Promise<{ held: Sent[]; epoch: string }> {
  let held: Sent[] = [];
  let [token, epoch] = ['', ''];
  do {
    const page = await auth.list({ token, now: Date.now() }, { signal });
    if (epoch !== '' && page.epoch !== epoch) {
      held = [];
      [token, epoch] = ['', ''];
      continue;
    }
    held.push(...page.held);
    token = page.nextToken;
    epoch = page.epoch;
  } while (token !== '' || epoch === '');
  return { held, epoch };
}
