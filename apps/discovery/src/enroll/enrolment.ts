import { createCommands } from '@tagplane/aws';
import type { Transport } from '@connectrpc/connect';
import { MINUTE, SECOND, fullJitter, runTasks, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { AuthCallError } from '../auth-client.ts';
import type { InventoryInstance } from '../inventory.ts';
import type { Scope, ScopeSet } from '../estate/scope.ts';
import type { Fence } from '../lease/fence.ts';
import { createEnrolmentAuth } from './auth-enrolments.ts';
import { EnrolmentBook } from './book.ts';
import type { EnrollSettings } from './config.ts';
import type { EnrolmentCandidate } from './facts.ts';
import type { EnrolmentMetrics } from './metrics.ts';
import type { EnrolmentPace, EnrolmentParts } from './parts.ts';
import { SsmPlaces } from './places.ts';
import type { OpenCommands } from './places.ts';
import { runPlanLoop } from './plan-loop.ts';
import type { CandidateSource } from './plan-loop.ts';
import { recallAttempts } from './recall.ts';
import { RecordBook } from './records.ts';
import { runSendLoop } from './send-loop.ts';
import { runAgentsLoop, runManagedLoop, runResultsLoop } from './watch-loops.ts';

export const PACE: EnrolmentPace = {
  planMs: 5 * SECOND,
  agentsMs: MINUTE,
  awaitedMs: 15 * SECOND,
  managedMs: 5 * MINUTE,
  resultsMs: 5 * SECOND,
  // At most five questions a second, of the rate that all of an account's users of SSM share.
  resultMs: SECOND / 5,
};

const WARM_BACKOFF = { baseMs: SECOND, maxMs: 15 * SECOND };

/** What enrolment asks of the inventory. */
export interface EnrolmentInventory {
  instances(): Iterable<InventoryInstance>;
  /** Whether all scopes have been scanned to their ends in this term. */
  isComplete(): boolean;
}

export interface EnrolmentOptions {
  readonly transport: Transport;
  readonly fence: Fence | undefined;
  readonly scopes: ScopeSet;
  readonly inventory: EnrolmentInventory;
  readonly metrics: EnrolmentMetrics;
  readonly log: Logger;
  /** Default: SSM by the credentials of the place's scope. */
  readonly openCommands?: OpenCommands;
  readonly pace?: Partial<EnrolmentPace>;
}

/** Enrols instances until the signal aborts, under one term of the lease. */
export async function runEnrolment(options: EnrolmentOptions, signal: AbortSignal): Promise<void> {
  const { transport, fence, scopes, inventory, metrics, log } = options;
  if (!scopes.current().some(({ enroll }) => enroll !== undefined)) await settingsCome(scopes, signal);
  if (fence === undefined) {
    log.warn({ event: 'enrolment_impossible', reason: 'the auth service is of a version without enrolment' });
    return;
  }
  const source = sourceOf(inventory);
  using places = new SsmPlaces(options.openCommands ?? openerOf(scopes));
  const parts: EnrolmentParts = {
    auth: createEnrolmentAuth(transport, fence),
    ...{ places, book: new EnrolmentBook(), records: new RecordBook(), queue: [] },
    settings: settingsOf(scopes),
    ...{ metrics, log },
    pace: { ...PACE, ...options.pace },
    facts: { agents: undefined, wanted: new Map() },
  };
  await recall(parts, signal);
  await runTasks(signal, {
    agents: (own) => runAgentsLoop(parts, own),
    managed: (own) => runManagedLoop(parts, own),
    plan: (own) => runPlanLoop(parts, source, own),
    send: (own) => runSendLoop(parts, own),
    'send, too': (own) => runSendLoop(parts, own),
    results: (own) => runResultsLoop(parts, own),
  });
}

/** Scopes come and go; as long as none has `enroll`, there is nothing to do and nobody to ask. */
async function settingsCome(scopes: ScopeSet, signal: AbortSignal): Promise<void> {
  while (!scopes.current().some(({ enroll }) => enroll !== undefined)) await sleep(PACE.planMs, signal);
}

function sourceOf(inventory: EnrolmentInventory): CandidateSource {
  return {
    *candidates() {
      for (const { key, state, platform, scope } of inventory.instances()) {
        if (scope.enroll === undefined || state === 'terminated' || state === 'shutting-down') continue;
        yield { key, state, platform, block: scope.block } satisfies EnrolmentCandidate;
      }
    },
    complete: () => inventory.isComplete(),
  };
}

function settingsOf(scopes: ScopeSet): (block: number) => EnrollSettings | undefined {
  return (block) => scopes.current().find((scope) => scope.block === block)?.enroll;
}

/** With the credentials of the first scope there that enrols. */
function openerOf(scopes: ScopeSet): OpenCommands {
  return (place) => {
    const there = scopes.at(place);
    const scope: Scope | undefined = there.find(({ enroll }) => enroll !== undefined) ?? there[0];
    return createCommands({ region: place.region, credentials: scope?.credentials });
  };
}

/** What the leader before has on record; an auth service that does not tell that is none to wait for. */
async function recall(parts: EnrolmentParts, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      recallAttempts(await parts.auth.recorded(signal), parts);
      return;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof AuthCallError)) throw error;
      parts.metrics.failures.inc({ service: 'auth', operation: 'ListInstances' });
      parts.log.warn({ event: 'enrolment_recall_failed', code: error.code, reason: error.message });
      if (error.final || error.code === 'Unimplemented') return;
    }
    await sleep(fullJitter(attempt, WARM_BACKOFF), signal);
  }
}
