import { AwsCallError, RoleError } from '@tagplane/aws';
import type { CommandResult } from '@tagplane/aws';
import type { InstanceId } from '@tagplane/identity';
import { MINUTE, SECOND, deadline, jittered, sleep } from '@tagplane/runtime';
import { AuthCallError } from '../auth-client.ts';
import { placeText } from './facts.ts';
import type { Place } from './facts.ts';
import { parseInstanceText } from './instance-text.ts';
import type { EnrolmentParts } from './parts.ts';

const JITTER = 0.1;
/** A hundred thousand instances are 2,000 pages, paced by the SDK. */
const MANAGED_DEADLINE_MS = 15 * MINUTE;
const IDLE_MS = SECOND;
/** A list that failed is asked for again after this, at the soonest. */
const AGAIN_MS = 10 * SECOND;

/** Keeps up with which instances have an agent. */
export async function runAgentsLoop(parts: EnrolmentParts, signal: AbortSignal): Promise<void> {
  const { auth, facts, book, pace, metrics, log } = parts;
  for (;;) {
    try {
      facts.agents = await auth.agents(signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof AuthCallError)) throw error;
      metrics.failures.inc({ service: 'auth', operation: 'ListAgentInstances' });
      log.warn({ event: 'agent_instances_failed', code: error.code, reason: error.message });
    }
    const listed = facts.agents !== undefined;
    const full = listed ? pace.agentsMs : Math.min(AGAIN_MS, pace.agentsMs);
    await sleep(jittered(book.inFlight > 0 ? Math.min(full, pace.awaitedMs) : full, JITTER), signal);
  }
}

/** Keeps up with what SSM manages, at the places where that matters. */
export async function runManagedLoop(parts: EnrolmentParts, signal: AbortSignal): Promise<void> {
  const { facts, places, pace } = parts;
  for (;;) {
    for (const { key } of facts.wanted.values()) {
      if (places.isDue(key, jittered(pace.managedMs, JITTER), Date.now()))
        await listManaged(parts, key, signal);
    }
    await sleep(Math.min(IDLE_MS, pace.planMs), signal);
  }
}

async function listManaged(parts: EnrolmentParts, place: Place, signal: AbortSignal): Promise<void> {
  const { places, metrics, log } = parts;
  const online = new Map<InstanceId, boolean>();
  using limit = deadline(signal, MANAGED_DEADLINE_MS);
  try {
    for await (const page of places.commands(place).managedInstances(limit.signal)) {
      for (const managed of page) online.set(managed.instance, managed.online);
    }
    places.told(place, online, Date.now());
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof AwsCallError || error instanceof RoleError)) throw error;
    metrics.failures.inc({ service: 'SSM', operation: 'DescribeInstanceInformation' });
    const { code, message: reason } = error;
    log.warn({ event: 'managed_instances_failed', place: placeText(place), code, reason });
    places.failed(place, reason, Date.now());
  }
}

/** Asks what became of the commands under way, one at a time. */
export async function runResultsLoop(parts: EnrolmentParts, signal: AbortSignal): Promise<void> {
  const { book, pace } = parts;
  for (;;) {
    for (const [commandId, ids] of book.commands()) {
      await askResult(parts, commandId, ids, signal);
      await sleep(pace.resultMs, signal);
    }
    await sleep(pace.resultsMs, signal);
  }
}

async function askResult(
  parts: EnrolmentParts,
  commandId: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { places, metrics, log } = parts;
  const keys = new Map(ids.flatMap((id) => parseInstanceText(id)).map((key) => [key.instance, key]));
  const [place] = keys.values();
  if (place === undefined) return;
  try {
    for (const result of await places.commands(place).results(commandId, signal)) {
      const id = ids.find((each) => each.endsWith(`/${result.instance}`));
      if (id !== undefined) settle(parts, { id, commandId }, result);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof AwsCallError || error instanceof RoleError)) throw error;
    // The deadline of the attempt stands: what is not told by then has failed.
    metrics.failures.inc({ service: 'SSM', operation: 'ListCommandInvocations' });
    log.warn({
      event: 'enrolment_result_failed',
      command: commandId,
      code: error.code,
      reason: error.message,
    });
  }
}

function settle(
  { book, metrics, log }: EnrolmentParts,
  command: { readonly id: string; readonly commandId: string },
  { status, detail }: CommandResult,
): void {
  if (status === 'pending' || status === 'running') return;
  const now = Date.now();
  if (status === 'succeeded') {
    book.carriedOut(command, now);
    return;
  }
  metrics.attempts.inc({ result: 'failed' });
  const reason = `the SSM command ended with ${detail.replaceAll(/\s+/g, ' ').trim()}`;
  log.warn({ event: 'enrolment_failed', instance: command.id, command: command.commandId, reason });
  book.failed(command.id, reason, now);
}
