import type { Logger } from '@tagplane/runtime';
import { MINUTE, SECOND, errorMessage, fullJitter, sleep } from '@tagplane/runtime';
import type { Credentials } from './credentials.ts';

/** The auth service will not let this process in as it is: the same again will be refused again. */
export class JoinRefusedError extends Error {
  override readonly name = 'JoinRefusedError';
}

const RETRY = { baseMs: SECOND, maxMs: 60 * SECOND };
/** A token may be made, or a rule changed, meanwhile; until then each attempt is an audit event. */
const REFUSED_MS = { least: MINUTE, most: 5 * MINUTE };

/**
 * How long to wait after an attempt to join failed.
 *
 * @param failures how many there were; 1 for the first
 * @returns milliseconds
 */
export function joinRetryMs(failures: number, refused: boolean, random: () => number): number {
  if (refused) return REFUSED_MS.least + random() * (REFUSED_MS.most - REFUSED_MS.least);
  return fullJitter(failures - 1, RETRY, random);
}

/** Told how attempts to join end. */
export interface JoinObserver {
  joined(result: 'ok' | 'refused' | 'failed', problem?: string): void;
}

export interface JoinLoop {
  /** One attempt; rejects with a JoinRefusedError when another will not do better. */
  readonly join: (signal: AbortSignal) => Promise<Credentials>;
  readonly observer?: Partial<JoinObserver> | undefined;
  readonly log: Logger;
  readonly random?: () => number;
}

/**
 * Tries until it is in.
 *
 * @throws the signal's reason when it aborts
 */
export async function joinUntilIn(loop: JoinLoop, signal: AbortSignal): Promise<Credentials> {
  for (let failures = 1; ; failures += 1) {
    const attempt = await attemptJoin(loop, failures, signal);
    if (attempt.credentials !== undefined) return attempt.credentials;
    await sleep(attempt.retryMs, signal);
  }
}

type Attempt =
  | { readonly credentials: Credentials }
  | { readonly credentials: undefined; readonly retryMs: number; readonly problem: string };

/**
 * Tries once, and says so.
 *
 * @throws the signal's reason when it aborts
 */
export async function attemptJoin(
  { join, observer, log, random = Math.random }: JoinLoop,
  failures: number,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const credentials = await join(signal);
    observer?.joined?.('ok');
    log.info({ event: 'joined', id: credentials.id, instance: credentials.instance });
    return { credentials };
  } catch (error) {
    signal.throwIfAborted();
    const refused = error instanceof JoinRefusedError;
    const problem = errorMessage(error);
    const retryMs = joinRetryMs(failures, refused, random);
    observer?.joined?.(refused ? 'refused' : 'failed', problem);
    const line = { reason: problem, retry_in_ms: Math.round(retryMs) };
    if (refused) log.error({ event: 'join_refused', ...line });
    else log.warn({ event: 'join_failed', ...line });
    return { credentials: undefined, retryMs, problem };
  }
}
