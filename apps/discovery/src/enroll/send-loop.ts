import { AwsCallError, RoleError } from '@tagplane/aws';
import { instanceKeyText } from '@tagplane/identity';
import { MINUTE, SECOND, sleep } from '@tagplane/runtime';
import { AuthCallError } from '../auth-client.ts';
import { CLAIM_MS, DELIVERY_MS } from './book.ts';
import type { EnrollSettings } from './config.ts';
import { placeText } from './facts.ts';
import type { EnrolmentCandidate } from './facts.ts';
import type { EnrolmentParts } from './parts.ts';
import { commandParameters } from './script.ts';

/** The most instances of one claim, and of one command. */
const MAX_BATCH = 50;
const IDLE_MS = SECOND / 2;
/** What is not an instance's own fault is looked at again after this. */
const POSTPONE_MS = MINUTE;
/** A role that lacks a right is not given it within the minute. */
const PAUSE_MS = 5 * MINUTE;

interface Claimed {
  readonly candidate: EnrolmentCandidate;
  readonly token: string;
}

/** Claims those whose turn has come, and sends each its command. Several of these may run side by side. */
export async function runSendLoop(parts: EnrolmentParts, signal: AbortSignal): Promise<void> {
  for (;;) {
    const batch = takeBatch(parts.queue);
    const settings = batch[0] && parts.settings(batch[0].block);
    if (settings !== undefined) await enrolBatch(parts, batch, settings, signal);
    else if (batch.length > 0) postpone(parts, batch, 'its block has no `enroll` any more', POSTPONE_MS);
    else await sleep(IDLE_MS, signal);
  }
}

/** The first, and what else is of its place and block. */
function takeBatch(queue: EnrolmentCandidate[]): EnrolmentCandidate[] {
  const [first] = queue;
  if (first === undefined) return [];
  const alike = (other: EnrolmentCandidate): boolean =>
    other.block === first.block && placeText(other.key) === placeText(first.key);
  const batch = queue.filter(alike).slice(0, MAX_BATCH);
  const taken = new Set(batch);
  queue.splice(0, queue.length, ...queue.filter((candidate) => !taken.has(candidate)));
  return batch;
}

async function enrolBatch(
  parts: EnrolmentParts,
  batch: readonly EnrolmentCandidate[],
  settings: EnrollSettings,
  signal: AbortSignal,
): Promise<void> {
  const claimed = await claim(parts, batch, settings, signal);
  // A token is one instance's secret, and every target of a command can read its parameters.
  const groups = settings.join === 'token' ? claimed.map((one) => [one]) : [claimed];
  for (const group of groups) if (group.length > 0) await send(parts, group, settings, signal);
}

async function claim(
  parts: EnrolmentParts,
  batch: readonly EnrolmentCandidate[],
  { join }: EnrollSettings,
  signal: AbortSignal,
): Promise<Claimed[]> {
  const { auth, book, metrics, log } = parts;
  const options = { ttlMs: CLAIM_MS, withTokens: join === 'token' };
  try {
    const keys = batch.map(({ key }) => key);
    const claims = await auth.claim(keys, options, signal);
    return batch.flatMap((candidate, index) => {
      const answer = claims[index];
      if (answer?.kind === 'claimed') return [{ candidate, token: answer.token }];
      metrics.attempts.inc({ result: 'not_claimed' });
      book.postpone(
        instanceKeyText(candidate.key),
        answer?.reason ?? 'not claimed',
        Date.now() + POSTPONE_MS,
      );
      return [];
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof AuthCallError)) throw error;
    metrics.failures.inc({ service: 'auth', operation: 'ClaimEnrolments' });
    log.warn({ event: 'enrolment_claim_failed', code: error.code, reason: error.message });
    postpone(parts, batch, `the auth service gave no claim: ${error.message}`, POSTPONE_MS);
    return [];
  }
}

async function send(
  parts: EnrolmentParts,
  group: readonly Claimed[],
  settings: EnrollSettings,
  signal: AbortSignal,
): Promise<void> {
  const { places, book, metrics, log } = parts;
  const [first] = group;
  if (first === undefined) return;
  const { key } = first.candidate;
  const instances = group.map(({ candidate }) => candidate.key.instance);
  const place = placeText(key);
  try {
    const commandId = await places.commands(key).send(
      {
        ...{ document: settings.document, instances, timeoutMs: DELIVERY_MS },
        parameters: commandParameters(settings, first.token),
        comment: 'Tagplane: installs the agent',
      },
      signal,
    );
    const now = Date.now();
    for (const { candidate } of group) book.commanded(instanceKeyText(candidate.key), commandId, now);
    metrics.attempts.inc({ result: 'sent' }, group.length);
    log.info({ event: 'enrolment_sent', place, instances, command: commandId });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    await onSendFailure(parts, group, settings, { error, signal });
  }
}

async function onSendFailure(
  parts: EnrolmentParts,
  group: readonly Claimed[],
  settings: EnrollSettings,
  { error, signal }: { readonly error: unknown; readonly signal: AbortSignal },
): Promise<void> {
  const { book, metrics, log } = parts;
  if (!(error instanceof AwsCallError || error instanceof RoleError)) throw error;
  const candidates = group.map(({ candidate }) => candidate);
  const reason = error.message;
  metrics.failures.inc({ service: 'SSM', operation: 'SendCommand' });
  const { code } = error;
  if (code === 'InvalidInstanceId' && group.length > 1) {
    // One that SSM does not reach any more spoils the call for all.
    for (const one of group) await send(parts, [one], settings, signal);
    return;
  }
  log.warn({
    event: 'enrolment_send_failed',
    instances: candidates.map(({ key }) => key.instance),
    code,
    reason,
  });
  if (code === 'InvalidInstanceId' || isLost(error)) {
    metrics.attempts.inc({ result: 'failed' }, group.length);
    for (const { key } of candidates) book.failed(instanceKeyText(key), reason, Date.now());
  } else {
    postpone(parts, candidates, reason, 0);
  }
  const [first] = candidates;
  if (code === 'InvalidInstanceId' || first === undefined) return;
  parts.places.pause(first.key, reason, Date.now() + PAUSE_MS);
  takeBack(parts, first);
}

/** Whether SSM took the command, nobody knows: it counts as an attempt. */
function isLost(error: AwsCallError | RoleError): boolean {
  return error instanceof AwsCallError && error.kind === 'unreachable';
}

/** The others of a place that is paused now wait as well. */
function takeBack(parts: EnrolmentParts, { key }: EnrolmentCandidate): void {
  const { queue } = parts;
  const there = queue.filter((other) => placeText(other.key) === placeText(key));
  queue.splice(0, queue.length, ...queue.filter((other) => !there.includes(other)));
  postpone(parts, there, 'SSM cannot be used here at the moment', 0);
}

function postpone(
  { book, metrics }: EnrolmentParts,
  candidates: readonly EnrolmentCandidate[],
  reason: string,
  ms: number,
): void {
  const since = Date.now() + ms;
  for (const { key } of candidates) {
    book.postpone(instanceKeyText(key), reason, since);
    metrics.attempts.inc({ result: 'postponed' });
  }
}
