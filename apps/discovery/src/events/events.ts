import type { Queue } from '@tagplane/aws';
import type { DiscoveredInstance } from '@tagplane/ec2';
import type { InstanceKey } from '@tagplane/identity';
import { SECOND, runTasks, sleep } from '@tagplane/runtime';
import type { Logger, ReadinessCheck, Registry } from '@tagplane/runtime';
import { Latch } from '../latch.ts';
import type { Scope, ScopeSet } from '../estate/scope.ts';
import { Coalescer } from './coalescer.ts';
import { runDescribeLoop } from './describe-loop.ts';
import { EventLag } from './event-lag.ts';
import { createEventMetrics } from './event-metrics.ts';
import type { EventMetrics } from './event-metrics.ts';
import { Inbox } from './inbox.ts';
import type { Ticket } from './inbox.ts';
import { runDeleteLoop, runReceiveLoop } from './receive-loop.ts';
import type { QueueStatus } from './receive-loop.ts';
import { RecentIds } from './recent-ids.ts';

/** One tag editor's click is several events, which are there within a second. */
const SETTLE_MS = SECOND;
/** Duplicates come within minutes; at 100 events a second these are more than three. */
const RECENT_IDS = 20_000;
const PRUNE_INTERVAL_MS = 10 * SECOND;

/** What takes in what events brought: a term's scheduler. */
export interface EventSink {
  observed(
    scope: Scope,
    instances: readonly DiscoveredInstance[],
    missing: readonly InstanceKey[],
    askedAt: number,
    now: number,
  ): void;
  /** Whether something about this ServerInfo is still to be sent. */
  isWaiting(name: string): boolean;
}

export interface EventsParts {
  readonly queues: readonly { readonly queue: Queue; readonly pollers: number }[];
  readonly scopes: ScopeSet;
  /** Told of scopes whose instances an event was about. */
  readonly heard?: (scope: string, now: number) => void;
  readonly registry: Registry;
  readonly log: Logger;
  /** Milliseconds from an instance's first event to its describe. Default 1,000. */
  readonly settleMs?: number;
}

/** One term of the lease: what it knows ends with it. */
export interface EventTerm extends Pick<EventsParts, 'scopes' | 'heard' | 'log'> {
  readonly sink: EventSink;
  readonly coalescer: Coalescer<{ readonly inbox: Inbox; readonly ticket: Ticket }>;
  readonly recent: RecentIds;
  readonly lag: EventLag;
  readonly metrics: EventMetrics;
  /** Opened when there may be something to describe. */
  readonly word: Latch;
}

/** The events of all queues. */
export interface Events {
  /** Receives and looks until the signal aborts. Once at a time. */
  run(sink: EventSink, signal: AbortSignal): Promise<void>;
  /**
   * Whether a scan shows an instance as it was before an event; if so, it is looked at again soon.
   *
   * @param askedAt when the scan asked for the page, Unix milliseconds
   */
  readonly isStale: (key: InstanceKey, described: DiscoveredInstance, askedAt: number) => boolean;
  /** The auth service took something. */
  readonly accepted: (name: string, now: number) => void;
  /** A queue that fails is told of, and no reason not to be ready: the scans go on. */
  readiness(): ReadinessCheck[];
}

/** Everything about events. Without queues all of it does nothing. */
export function createEvents(parts: EventsParts): Events {
  let term: EventTerm | undefined;
  let inboxes: readonly Inbox[] = [];
  const metrics = createEventMetrics(parts.registry, {
    instances: () => term?.coalescer.size ?? 0,
    messages: () => inboxes.reduce((sum, { size }) => sum + size, 0),
  });
  const statuses = parts.queues.map(({ queue }) => freshStatus(queue.url));
  return {
    async run(sink, signal) {
      const own = createTerm(parts, sink, metrics);
      term = own;
      inboxes = parts.queues.map(({ queue }) => new Inbox(queue));
      try {
        await runTasks(signal, tasksOf(own, inboxes, parts, statuses));
      } finally {
        await Promise.all(inboxes.map((inbox) => inbox.close()));
        term = undefined;
        inboxes = [];
      }
    },
    isStale: (key, described, askedAt) => {
      if (term?.coalescer.expectations.isStale(key, described, askedAt) !== true) return false;
      metrics.staleScans.inc();
      term.coalescer.doubt(key, Date.now());
      term.word.open();
      return true;
    },
    accepted: (name, now) => {
      const lagMs = term?.lag.end(name, now);
      if (lagMs !== undefined) metrics.lag.observe({ until: 'sent' }, lagMs / SECOND);
    },
    readiness: () =>
      statuses.map(({ url, failure }) => ({
        name: `events ${url}`,
        ready: true,
        ...(failure === undefined ? {} : { reason: failure }),
      })),
  };
}

function createTerm(
  { scopes, heard, log, settleMs = SETTLE_MS }: EventsParts,
  sink: EventSink,
  metrics: EventMetrics,
): EventTerm {
  return {
    ...(heard === undefined ? {} : { heard }),
    ...{ scopes, log, sink, metrics },
    coalescer: new Coalescer({ settleMs }),
    recent: new RecentIds(RECENT_IDS),
    lag: new EventLag(),
    word: new Latch(),
  };
}

function tasksOf(
  term: EventTerm,
  inboxes: readonly Inbox[],
  { queues }: EventsParts,
  statuses: readonly QueueStatus[],
) {
  const tasks = inboxes.flatMap((inbox, index) => {
    const status = statuses[index] ?? freshStatus(inbox.queue.url);
    const pollers = Array.from({ length: queues[index]?.pollers ?? 1 }, (_, poller) => ({
      name: `receive ${poller} of ${inbox.queue.url}`,
      run: (own: AbortSignal) => runReceiveLoop(term, inbox, status, own),
    }));
    const deleter = {
      name: `delete from ${inbox.queue.url}`,
      run: (own: AbortSignal) => runDeleteLoop(term, inbox, own),
    };
    return [...pollers, deleter];
  });
  return {
    ...Object.fromEntries(tasks.map(({ name, run }) => [name, run])),
    describe: (own: AbortSignal) => runDescribeLoop(term, own),
    prune: (own: AbortSignal) => runPruneLoop(term, own),
  };
}

function freshStatus(url: string): QueueStatus {
  return { url, failure: undefined, malformedAt: 0 };
}

async function runPruneLoop({ coalescer }: EventTerm, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(PRUNE_INTERVAL_MS, signal);
    coalescer.expectations.prune(Date.now());
  }
}
