import { Code, ConnectError } from '@connectrpc/connect';
import { WatchMark } from '@tagplane/protocol';
import type { WatchNodesResponse } from '@tagplane/protocol';
import { SECOND, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import { isLostConnection, reasonOf } from '../explain.ts';
import { nodeView } from '../views/node.ts';
import type { NodeView } from '../views/node.ts';

/** What a watch tells, connections included. */
export type FeedEvent =
  /** The list of all nodes begins, or begins anew. */
  | { readonly kind: 'list' }
  | { readonly kind: 'node'; readonly node: NodeView }
  | { readonly kind: 'removed'; readonly serverId: string }
  /** The list is complete; changes follow. */
  | { readonly kind: 'synced' }
  /** The connection was lost and will be tried again. */
  | { readonly kind: 'lost'; readonly reason: string };

export interface FeedOptions {
  /** Starts a watch. */
  open(signal: AbortSignal): AsyncIterable<WatchNodesResponse>;
  /** Within this, a watch's first message comes. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly random?: () => number;
}

/** Never at once, so that a service which drops every watch is not hammered. */
const LEAST_DELAY_MS = SECOND / 4;
const RETRY = { baseMs: SECOND, maxMs: 10 * SECOND };

/**
 * Watches until the signal aborts, across lost connections. Waiting is bounded by 10 s, so that a
 * person sees the service come back soon.
 *
 * @throws ConnectError when the first connection fails, or when trying again would not help
 */
export async function* watchFeed(options: FeedOptions): AsyncGenerator<FeedEvent> {
  const { signal } = options;
  let connectedBefore = false;
  let failures = 0;
  while (!isStopped(signal)) {
    let reason = 'the auth service ended the watch';
    try {
      let first = true;
      for await (const response of openInTime(options)) {
        if (first) yield { kind: 'list' };
        first = false;
        connectedBefore = true;
        failures = 0;
        const event = feedEvent(response);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (isStopped(signal)) return;
      if (!connectedBefore || !isLostConnection(error)) throw error;
      reason = reasonOf(error);
    }
    if (isStopped(signal)) return;
    yield { kind: 'lost', reason };
    if (!(await slept(LEAST_DELAY_MS + fullJitter(failures, RETRY, options.random), signal))) return;
    failures += 1;
  }
}

/** A half-open connection is found by the connection's pings, but only once it has been opened. */
async function* openInTime(options: FeedOptions): AsyncGenerator<WatchNodesResponse> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, options.timeoutMs);
  try {
    for await (const response of options.open(AbortSignal.any([options.signal, late.signal]))) {
      clearTimeout(timer);
      yield response;
    }
  } catch (error) {
    if (late.signal.aborted)
      throw new ConnectError('no answer', Code.DeadlineExceeded, undefined, undefined, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined for what this version does not know. */
function feedEvent({ event }: WatchNodesResponse): FeedEvent | undefined {
  switch (event.case) {
    case 'node':
      return { kind: 'node', node: nodeView(event.value) };
    case 'removedServerId':
      return { kind: 'removed', serverId: event.value };
    case 'mark':
      if (event.value === WatchMark.RESTARTED) return { kind: 'list' };
      return event.value === WatchMark.SYNCED ? { kind: 'synced' } : undefined;
    case undefined:
      return undefined;
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
