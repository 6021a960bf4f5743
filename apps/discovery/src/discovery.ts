import type { Transport } from '@connectrpc/connect';
import { runTasks } from '@tagplane/runtime';
import type { Logger, ReadinessCheck, Registry, Task } from '@tagplane/runtime';
import { createAuthClient } from './auth-client.ts';
import type { Events } from './events/events.ts';
import { runGuardLoop } from './guard-loop.ts';
import { createMetrics } from './metrics.ts';
import { runScanLoop } from './scan-loop.ts';
import type { ScopeStatus } from './scan-loop.ts';
import type { ScopeSet } from './estate/scope.ts';
import { runEpochLoop, runRenewalLoop } from './upkeep-loops.ts';
import { runUpsertLoop } from './upsert-loop.ts';
import { UpsertScheduler } from './upsert-scheduler.ts';
import { createWarmStart } from './warm-start.ts';

export interface DiscoveryParts {
  /** To the auth service. */
  readonly transport: Transport;
  /** This discovery as the auth service knows it: `discovery/<name>`. */
  readonly origin: string;
  readonly scopes: ScopeSet;
  readonly pollIntervalMs: number;
  /** Default: no events, only scans. */
  readonly events?: Events;
  readonly registry: Registry;
  readonly log: Logger;
  /** For times to live; default Math.random. */
  readonly random?: () => number;
}

export interface Discovery {
  /** Scans and sends until the signal aborts; then finishes what is in flight, within 3 s. */
  run(signal: AbortSignal): Promise<void>;
  readiness(): ReadinessCheck[];
}

/** The service without its listeners and connections. */
export function createDiscovery(parts: DiscoveryParts): Discovery {
  const { registry, log, pollIntervalMs, events } = parts;
  const scheduler = new UpsertScheduler(parts.random ?? Math.random, parts.scopes);
  const metrics = createMetrics(registry, scheduler);
  const auth = createAuthClient(parts.transport, parts.origin);
  const warmStart = createWarmStart(auth, scheduler, log);
  const scopes = parts.scopes.current().map((scope) => {
    const status: ScopeStatus = { attempted: false, failure: undefined };
    return { scope, status, scheduler, pollIntervalMs, metrics, log, isStale: events?.isStale };
  });
  const sending = { scheduler, auth, metrics, log, onAccepted: events?.accepted };
  const scans = scopes.map((scope): [string, Task] => [
    `scan ${scope.scope.id}`,
    (signal) => runScanLoop(scope, signal),
  ]);
  return {
    run: (signal) =>
      runTasks(signal, {
        ...Object.fromEntries(scans),
        send: async (own) => {
          await warmStart.run(own);
          await runTasks(own, {
            upserts: (inner) => runUpsertLoop(sending, inner),
            guard: (inner) => runGuardLoop(sending, inner),
            renewals: (inner) => runRenewalLoop(sending, inner),
            epoch: (inner) => runEpochLoop(sending, inner),
            ...(events && { events: (inner: AbortSignal) => events.run(scheduler, inner) }),
          });
        },
      }),
    readiness: () => [
      check('auth', scheduler.isWarm, scheduler.isWarm ? undefined : (warmStart.problem ?? 'not asked yet')),
      ...scopes.map(({ scope, status }) =>
        check(
          `scope ${scope.id}`,
          status.attempted,
          status.attempted ? status.failure : 'its first scan has not ended',
        ),
      ),
      ...(events?.readiness() ?? []),
    ],
  };
}

function check(name: string, ready: boolean, reason: string | undefined): ReadinessCheck {
  return reason === undefined ? { name, ready } : { name, ready, reason };
}
