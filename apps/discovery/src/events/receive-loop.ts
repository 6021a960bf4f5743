import { AwsCallError, RoleError } from '@tagplane/aws';
import type { QueueMessage } from '@tagplane/aws';
import { MINUTE, SECOND, errorMessage, fullJitter, sleep } from '@tagplane/runtime';
import type { ParsedEvent } from './change.ts';
import type { MessageResult } from './event-metrics.ts';
import type { EventTerm } from './events.ts';
import type { Inbox } from './inbox.ts';
import { VISIBILITY_MS } from './inbox.ts';
import { parseEvent } from './parse-event.ts';

/** What SQS gives at most, and how long it waits at most for the first one. */
const RECEIVE = { max: 10, waitMs: 20 * SECOND, visibilityMs: VISIBILITY_MS } as const;
const BACKOFF = { baseMs: SECOND, maxMs: MINUTE };
/** While too much waits. */
const ROOM_PAUSE_MS = 200;
const MALFORMED_LOG_INTERVAL_MS = MINUTE;
/** Deletions are gathered: ten cost what one does. */
const DELETE_PAUSE_MS = 200;

/** How a queue does, for readiness. */
export interface QueueStatus {
  readonly url: string;
  /** Why nothing can be received from it, and what to do; undefined while it can. */
  failure: string | undefined;
  /** When a malformed message was last logged: a queue may be full of them. */
  malformedAt: number;
}

/** Receives from one queue until the signal aborts. What fails is tried again, with backoff. */
export async function runReceiveLoop(
  term: EventTerm,
  inbox: Inbox,
  status: QueueStatus,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; ;) {
    while (!inbox.hasRoom) await sleep(ROOM_PAUSE_MS, signal);
    try {
      const messages = await inbox.queue.receive(RECEIVE, signal);
      failures = 0;
      status.failure = undefined;
      for (const message of messages) takeMessage(term, inbox, status, message);
    } catch (error) {
      signal.throwIfAborted();
      if (!isAwsFailure(error)) throw error;
      reportFailure(term, status, error);
      await sleep(fullJitter(failures, BACKOFF), signal);
      failures += 1;
    }
  }
}

/** Deletes what is done with until the signal aborts. What cannot be deleted comes again, and is known then. */
export async function runDeleteLoop({ log }: EventTerm, inbox: Inbox, signal: AbortSignal): Promise<void> {
  for (let failures = 0; ;) {
    if (!inbox.hasDone) await inbox.done.wait(signal);
    await sleep(DELETE_PAUSE_MS, signal);
    try {
      await inbox.deleteDone(signal);
      failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!isAwsFailure(error)) throw error;
      log.debug({ event: 'event_delete_failed', queue: inbox.queue.url, reason: error.message });
      await sleep(fullJitter(failures, BACKOFF), signal);
      failures += 1;
    }
  }
}

function isAwsFailure(error: unknown): error is AwsCallError | RoleError {
  return error instanceof AwsCallError || error instanceof RoleError;
}

function takeMessage(term: EventTerm, inbox: Inbox, status: QueueStatus, message: QueueMessage): void {
  const parsed = parseEvent(message.body);
  const result = takeParsed(term, inbox, message, parsed);
  term.metrics.messages.inc({ result });
  const now = Date.now();
  if (parsed.kind !== 'malformed' || now - status.malformedAt < MALFORMED_LOG_INTERVAL_MS) return;
  status.malformedAt = now;
  const { reason } = parsed;
  term.log.warn({ event: 'event_malformed', queue: status.url, message: message.id, reason });
}

function takeParsed(
  { coalescer, scopes, recent, metrics, word, heard }: EventTerm,
  inbox: Inbox,
  message: QueueMessage,
  parsed: ParsedEvent,
): MessageResult {
  if (parsed.kind !== 'changes') {
    inbox.discard(message.receipt);
    return parsed.kind;
  }
  const places = parsed.changes.map((change) => ({ change, scopes: scopes.at(change.key) }));
  const own = places.filter((place) => place.scopes.length > 0);
  if (own.length === 0) {
    inbox.discard(message.receipt);
    return 'foreign';
  }
  const now = Date.now();
  const seen = recent.add(parsed.id);
  const ticket = inbox.open(message, own.length);
  const results = own.map(({ change }) => coalescer.add(change, { inbox, ticket }, now, seen));
  for (const id of new Set(own.flatMap((place) => place.scopes.map((scope) => scope.id)))) heard?.(id, now);
  const first = own[0];
  if (!seen && first !== undefined) {
    metrics.lag.observe({ until: 'received' }, Math.max(0, now - first.change.at) / SECOND);
  }
  for (const result of results) if (result !== 'taken') inbox.settle(ticket);
  word.open();
  if (seen) return 'duplicate';
  if (results.includes('full')) return 'overflow';
  return results.includes('taken') ? 'taken' : 'known';
}

/** In the log once for each failure, as long as it stays the same. */
function reportFailure(
  { metrics, log }: EventTerm,
  status: QueueStatus,
  error: AwsCallError | RoleError,
): void {
  metrics.receiveFailures.inc({ kind: error instanceof AwsCallError ? error.kind : 'role' });
  const failure = errorMessage(error);
  if (status.failure === failure) return;
  status.failure = failure;
  log.warn({ event: 'event_queue_failed', queue: status.url, reason: failure });
}
