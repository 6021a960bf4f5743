import type { Transport } from '@connectrpc/connect';
import { runTasks } from '@tagplane/runtime';
import type { Logger, ReadinessCheck, Task } from '@tagplane/runtime';
import { createAuthClient } from './auth-client.ts';
import type { ScopeSet } from './estate/scope.ts';
import type { ScopeStatus, ScopeStatuses } from './estate/scope-status.ts';
import { runEnrolment } from './enroll/enrolment.ts';
import type { EnrolmentMetrics } from './enroll/metrics.ts';
import type { Events } from './events/events.ts';
import { runGuardLoop } from './guard-loop.ts';
import type { Fence } from './lease/fence.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import { runReportLoop } from './report/report-loop.ts';
import { runScans } from './scan-runner.ts';
import { Turns } from './turns.ts';
import { runEpochLoop, runRenewalLoop } from './upkeep-loops.ts';
import { runUpsertLoop } from './upsert-loop.ts';
import { UpsertScheduler } from './upsert-scheduler.ts';
import { createWarmStart } from './warm-start.ts';

export interface DiscoveryParts {
  /** To the auth service. */
  readonly transport: Transport;
  /** What this discovery writes, as the auth service marks it: `discovery/<group>`. */
  readonly origin: string;
  /** The lease of this term; undefined: none. */
  readonly fence?: Fence | undefined;
  readonly scopes: ScopeSet;
  readonly statuses: ScopeStatuses;
  /** What the auth service is told of the scopes, under a lease. Default: nothing. */
  readonly report?: () => readonly ScopeStatus[];
  readonly pollIntervalMs: number;
  readonly maxConcurrentScans: number;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
  /** For times to live; default Math.random. */
  readonly random?: () => number;
  /** Default: no events, only scans. */
  readonly events?: Events;
  /** Default: nothing is enrolled. */
  readonly enrolment?: EnrolmentMetrics;
}

/** One term of discovery. */
export interface Discovery {
  /** Takes in targeted looks, and knows what was found. */
  readonly scheduler: UpsertScheduler;
  /** Scans and sends until the signal aborts; then finishes what is in flight, within 3 s. */
  run(signal: AbortSignal): Promise<void>;
  readiness(): ReadinessCheck[];
}

/** The service without its listeners and connections. */
export function createDiscovery(parts: DiscoveryParts): Discovery {
  const { transport, fence, report, log, metrics, scopes, statuses, events } = parts;
  const scheduler = new UpsertScheduler(parts.random ?? Math.random, scopes);
  metrics.follow(scheduler);
  const auth = createAuthClient(transport, parts.origin, fence);
  const warmStart = createWarmStart(auth, scheduler, log);
  const sending = { scheduler, auth, metrics, log, onAccepted: events?.accepted };
  const scanning = {
    ...parts,
    scheduler,
    turns: new Turns(parts.maxConcurrentScans),
    isStale: events?.isStale,
  };
  const enrolment = enrolmentTask(parts, scheduler);
  statuses.restart();
  return {
    scheduler,
    run: async (signal) => {
      await runTasks(signal, {
        scans: (own) => runScans(scanning, own),
        ...(fence && report && { reports: (own) => runReportLoop({ transport, fence, report, log }, own) }),
        send: async (own) => {
          await warmStart.run(own);
          await runTasks(own, {
            upserts: (inner) => runUpsertLoop(sending, inner),
            guard: (inner) => runGuardLoop(sending, inner),
            renewals: (inner) => runRenewalLoop(sending, inner),
            epoch: (inner) => runEpochLoop(sending, inner),
            ...(events && { events: (inner: AbortSignal) => events.run(scheduler, inner) }),
            ...enrolment,
          });
        },
      }).finally(() => {
        metrics.follow(undefined);
      });
    },
    readiness: () => [
      check('auth', scheduler.isWarm, scheduler.isWarm ? undefined : (warmStart.problem ?? 'not asked yet')),
      ...statuses
        .all()
        .map(({ id, state, problem }) =>
          check(
            `scope ${id}`,
            state !== 'pending',
            state === 'pending' ? 'its first scan has not ended' : problem,
          ),
        ),
      ...(events?.readiness() ?? []),
    ],
  };
}

function enrolmentTask(parts: DiscoveryParts, scheduler: UpsertScheduler): Record<string, Task> {
  const { enrolment: metrics, transport, fence, scopes, statuses, log } = parts;
  if (metrics === undefined) return {};
  // What was scanned in a term before says nothing of this one.
  const began = Date.now();
  const isComplete = (): boolean =>
    statuses.all().every(({ lastCompleteAt }) => lastCompleteAt !== undefined && lastCompleteAt >= began);
  const inventory = { instances: () => scheduler.instances(), isComplete };
  const options = { transport, fence, scopes, inventory, metrics, log };
  return { enrolment: (signal) => runEnrolment(options, signal) };
}

function check(name: string, ready: boolean, reason: string | undefined): ReadinessCheck {
  return reason === undefined ? { name, ready } : { name, ready, reason };
}
