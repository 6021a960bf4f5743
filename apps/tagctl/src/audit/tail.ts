import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Client } from '@connectrpc/connect';
import type { AuditService } from '@tagplane/protocol';
import { SECOND, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import { isLostConnection, reasonOf } from '../explain.ts';
import type { AuditEventView } from '../views/audit-event.ts';
import { auditEventView } from '../views/audit-event.ts';

/** Never at once, so that a service which drops every stream is not hammered. */
const LEAST_DELAY_MS = SECOND / 4;
const RETRY = { baseMs: SECOND, maxMs: 10 * SECOND };
/** After a loss, events from a little earlier are asked for again: the clocks need not agree to the second. */
const OVERLAP_MS = 30 * SECOND;
/** More than happens within the overlap; an older event that came again would only be printed twice. */
const MAX_REMEMBERED = 10_000;

export interface TailOptions {
  readonly audit: Client<typeof AuditService>;
  /** How far back, milliseconds. */
  readonly sinceMs: number;
  readonly follow: boolean;
  readonly codePrefix: string;
  /** Told that the connection was lost, and will be tried again. */
  onLost(reason: string): Promise<void>;
  readonly signal: AbortSignal;
  now(): number;
  readonly random?: () => number;
}

/**
 * Events, oldest first; when followed, until the signal aborts, across lost connections and without
 * saying any of them twice.
 *
 * @throws ConnectError when the first connection fails, or trying again would not help
 */
export async function* tailEvents(options: TailOptions): AsyncGenerator<readonly AuditEventView[]> {
  const { signal, follow } = options;
  const seen = new Remembered(MAX_REMEMBERED);
  let from = options.now() - options.sinceMs;
  let connectedBefore = false;
  let toldAll = false;
  for (let failures = 0; ; failures += 1) {
    let reason = 'the auth service ended the stream';
    try {
      for await (const response of open(options, options.now() - from)) {
        connectedBefore = true;
        failures = 0;
        // An answer without events says that the past has been told: until then it is asked for again.
        toldAll ||= response.events.length === 0;
        if (toldAll) from = Math.max(from, options.now() - OVERLAP_MS);
        const events = response.events.filter(({ id }) => seen.add(id)).map(auditEventView);
        if (events.length > 0) yield events;
      }
      if (!follow) return;
    } catch (error) {
      if (isStopped(signal)) return;
      if (!follow || !connectedBefore || !isLostConnection(error)) throw error;
      reason = reasonOf(error);
    }
    if (isStopped(signal)) return;
    await options.onLost(reason);
    if (!(await slept(LEAST_DELAY_MS + fullJitter(failures, RETRY, options.random), signal))) return;
  }
}

function open({ audit, follow, codePrefix, signal }: TailOptions, sinceMs: number) {
  const request = { since: durationFromMs(Math.max(0, Math.round(sinceMs))), follow, codePrefix };
  // The past may be long, and what follows has no end: neither has a deadline.
  return audit.tailAudit(request, { signal, timeoutMs: 0 });
}

/** The latest ids, each once. */
class Remembered {
  readonly #ids = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** False: it was there already. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= this.#max) break;
      this.#ids.delete(oldest);
    }
    return true;
  }
}

// A function, because the compiler takes a signal once seen as not aborted to stay so.
function isStopped(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, signal);
    return true;
  } catch (error) {
    if (isAbort(error, signal)) return false;
    throw error;
  }
}
