import { ScanError } from '@tagplane/ec2';
import type { DiscoveredInstance } from '@tagplane/ec2';
import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { SECOND, deadline, errorMessage, sleep } from '@tagplane/runtime';
import { discoveredName } from '@tagplane/serverinfo';
import type { Scope } from '../estate/scope.ts';
import type { Latch } from '../latch.ts';
import type { Look, Looked } from './coalescer.ts';
import type { EventTerm } from './events.ts';

/** Places that are asked at one time; each is paced by its own quota. */
const MAX_CALLS = 8;
/** A describe by ids takes less than a second, and the wait for its turn in the quota a few. */
const CALL_TIMEOUT_MS = 30 * SECOND;

type EventLook = Looked<Parameters<EventTerm['coalescer']['add']>[1]>;

/** Describes what events told of until the signal aborts: a call a place at a time, several places at once. */
export async function runDescribeLoop(term: EventTerm, signal: AbortSignal): Promise<void> {
  const { coalescer, word } = term;
  const calls = new Set<Promise<void>>();
  const failed = new AbortController();
  const own = AbortSignal.any([signal, failed.signal]);
  try {
    for (;;) {
      own.throwIfAborted();
      const look = calls.size < MAX_CALLS ? coalescer.take(Date.now()) : undefined;
      if (look === undefined) {
        await pause(word, calls.size < MAX_CALLS ? coalescer.nextAt(Date.now()) : undefined, own);
        continue;
      }
      const call: Promise<void> = lookAt(term, look, own)
        .catch((error: unknown) => {
          failed.abort(error);
        })
        .finally(() => {
          calls.delete(call);
          word.open();
        });
      calls.add(call);
    }
  } finally {
    await Promise.all(calls);
  }
}

/** Until there is word, or a time comes. */
async function pause(word: Latch, until: number | undefined, signal: AbortSignal): Promise<void> {
  if (until === undefined) {
    await word.wait(signal);
    return;
  }
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([word.wait(either), sleep(Math.max(0, until - Date.now()), either)]);
  } finally {
    over.abort();
  }
}

async function lookAt(term: EventTerm, look: Look, signal: AbortSignal): Promise<void> {
  const { coalescer, metrics, log } = term;
  const [first] = look.keys;
  const scopes = first === undefined ? [] : term.scopes.at(first);
  const askedAt = Date.now();
  try {
    const { found, asked } = await describe(scopes, look.keys, signal);
    const looked = coalescer.looked(look, found, askedAt, Date.now());
    metrics.describes.inc({ result: 'answered' });
    metrics.stale.inc(looked.stale);
    takeIn(term, asked, looked, askedAt);
    settle(term, looked);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ScanError || error instanceof NobodyToAsk)) throw error;
    metrics.describes.inc({ result: 'failed' });
    log.warn({ event: 'event_describe_failed', place: look.place, reason: errorMessage(error) });
    settle(term, coalescer.failed(look, Date.now()));
  }
}

/** The scope of an event has gone since. */
class NobodyToAsk extends Error {
  override readonly name = 'NobodyToAsk';
}

/**
 * Asks with the credentials of one scope after the other, until all are found or all were asked: scopes of
 * one account see the same, but whose credentials a scope has may not be known.
 */
async function describe(
  scopes: readonly Scope[],
  keys: readonly InstanceKey[],
  signal: AbortSignal,
): Promise<{ found: DiscoveredInstance[]; asked: Scope }> {
  using limit = deadline(signal, CALL_TIMEOUT_MS);
  const found = new Map<string, DiscoveredInstance>();
  let asked: Scope | undefined;
  let failure: unknown = new NobodyToAsk('no scope looks there any more');
  for (const scope of byCredentials(scopes)) {
    const ids = keys.filter((key) => !found.has(instanceKeyText(key))).map(({ instance }) => instance);
    if (ids.length === 0) break;
    try {
      const page = await scope.scanner.describe(ids, { signal: limit.signal });
      asked ??= scope;
      for (const instance of page.instances) found.set(instanceKeyText(instance.key), instance);
    } catch (error) {
      failure = error;
    }
  }
  if (asked === undefined) throw failure;
  return { found: [...found.values()], asked };
}

/** One scope for each set of credentials. */
function byCredentials(scopes: readonly Scope[]): Scope[] {
  const seen = new Set<unknown>();
  return scopes.filter(({ credentials }) => !seen.has(credentials) && seen.add(credentials));
}

function takeIn({ sink, lag }: EventTerm, asked: Scope, looked: EventLook, askedAt: number): void {
  const now = Date.now();
  const { instances, missing, eventTimes } = looked;
  if (instances.length === 0 && missing.length === 0) return;
  sink.observed(asked, instances, missing, askedAt, now);
  for (const { key } of instances) {
    const [name, changedAt] = [discoveredName(key), eventTimes.get(instanceKeyText(key))];
    if (changedAt !== undefined && sink.isWaiting(name)) lag.begin(name, changedAt, now);
  }
}

function settle(
  { metrics, log }: EventTerm,
  { tickets, givenUp }: Pick<EventLook, 'tickets' | 'givenUp'>,
): void {
  for (const { inbox, ticket } of tickets) inbox.settle(ticket);
  if (givenUp === 0) return;
  metrics.givenUp.inc(givenUp);
  log.info({ event: 'events_given_up', instances: givenUp, message: 'the next scan is to say how they are' });
}
