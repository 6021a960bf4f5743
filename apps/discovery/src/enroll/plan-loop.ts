import { setImmediate as turn } from 'node:timers/promises';
import { instanceKeyText } from '@tagplane/identity';
import { jittered, sleep } from '@tagplane/runtime';
import { AuthCallError } from '../auth-client.ts';
import type { EnrolmentCandidate } from './facts.ts';
import { parseInstanceText } from './instance-text.ts';
import { COUNTED_STATES } from './metrics.ts';
import type { EnrolmentParts } from './parts.ts';
import { PlanRound } from './plan.ts';
import type { EnrolmentPlan } from './plan.ts';
import type { EnrolmentView } from './view.ts';

const JITTER = 0.1;
/** Some ten milliseconds of planning at a time. */
const CANDIDATES_A_TURN = 2_000;

/** The instances that are to have an agent, and whether all scopes have told theirs. */
export interface CandidateSource {
  candidates(): Iterable<EnrolmentCandidate>;
  complete(): boolean;
}

/** Plans again and again, queues whose turn it is and writes down what has changed. */
export async function runPlanLoop(
  parts: EnrolmentParts,
  source: CandidateSource,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const complete = source.complete();
    expire(parts);
    const plan = await planInTurns(parts, source, complete, signal);
    const { book, queue, facts } = parts;
    facts.wanted = plan.places;
    book.forget(plan.gone);
    book.begin(plan.begin, Date.now());
    queue.push(...plan.begin);
    count(parts, plan);
    await record(parts, plan, complete && facts.agents !== undefined, signal);
    await sleep(jittered(parts.pace.planMs, JITTER), signal);
  }
}

function expire({ book, metrics, log }: EnrolmentParts): void {
  for (const id of book.expire(Date.now())) {
    const standing = book.tries.get(id)?.standing;
    metrics.attempts.inc({ result: 'failed' });
    if (standing?.phase === 'failed') {
      log.warn({
        event: 'enrolment_failed',
        instance: id,
        command: standing.commandId,
        reason: standing.reason,
      });
    }
  }
}

async function planInTurns(
  { book, places, facts, settings }: EnrolmentParts,
  source: CandidateSource,
  complete: boolean,
  signal: AbortSignal,
): Promise<EnrolmentPlan> {
  const now = Date.now();
  const limits = (block: number) => {
    const { cap_per_minute: capPerMinute = 0, max_in_flight: maxInFlight = 0 } = settings(block) ?? {};
    return { capPerMinute, maxInFlight };
  };
  const { agents } = facts;
  const round = new PlanRound(
    book,
    { complete, agents, ssm: (place) => places.facts(place, now), limits },
    now,
  );
  let added = 0;
  for (const candidate of source.candidates()) {
    round.add(candidate);
    added += 1;
    if (added % CANDIDATES_A_TURN === 0) await turn(undefined, { signal });
  }
  return round.finish();
}

function count({ metrics, book }: EnrolmentParts, { views }: EnrolmentPlan): void {
  const counts = new Map(COUNTED_STATES.map((state) => [state, 0]));
  for (const { state } of views) counts.set(state, (counts.get(state) ?? 0) + 1);
  for (const state of COUNTED_STATES) metrics.states.set({ state }, counts.get(state) ?? 0);
  metrics.inFlight.set(book.inFlight);
}

async function record(
  parts: EnrolmentParts,
  plan: EnrolmentPlan,
  complete: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { auth, book, records, metrics, log } = parts;
  const changes = records.plan(
    plan.views.filter((view) => isToBeTold(parts, view)),
    complete,
    Date.now(),
  );
  if (changes.records.length === 0 && changes.removed.length === 0) return;
  try {
    const removed = changes.removed.flatMap(parseInstanceText);
    await auth.record({ records: changes.records, removed }, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof AuthCallError)) throw error;
    metrics.failures.inc({ service: 'auth', operation: 'RecordEnrolments' });
    log.warn({ event: 'enrolment_record_failed', code: error.code, reason: error.message });
    return;
  }
  records.written(changes, Date.now());
  for (const view of changes.records) {
    if (view.state !== 'ENROLLED') continue;
    book.forget([instanceKeyText(view.key)]);
    metrics.attempts.inc({ result: 'enrolled' });
    log.info({ event: 'enrolled', instance: instanceKeyText(view.key), attempts: view.attempts });
  }
}

/** Not while it is being claimed: the claim says so itself, and an older word would end it. */
function isToBeTold({ book }: EnrolmentParts, { key }: EnrolmentView): boolean {
  return book.tries.get(instanceKeyText(key))?.standing.phase !== 'claimed';
}
