import type { EnrolmentCandidate, EnrolmentFacts } from './facts.ts';
import { isInFlight } from './tries.ts';
import type { Tries } from './tries.ts';
import { REASONS, notRunning, withFailure } from './view.ts';
import type { EnrolmentView } from './view.ts';

/** How an instance without an agent stands, and what follows. */
export interface Look {
  readonly view: EnrolmentView;
  /** SSM can reach it: when it is due, it may be tried. */
  readonly reachable: boolean;
  /** Whether it can be tried depends on what SSM says. */
  readonly needsSsm: boolean;
}

type Parts = Pick<EnrolmentView, 'state' | 'reason'> & Partial<Pick<EnrolmentView, 'nextAttemptAt'>>;

/** Undefined for an instance with an agent that was never tried: there is nothing to say. */
export function lookAt(
  candidate: EnrolmentCandidate,
  tries: Tries | undefined,
  facts: Pick<EnrolmentFacts, 'ssm'>,
  hasAgent: boolean,
): Look | undefined {
  if (hasAgent && tries === undefined) return undefined;
  const settled = settledParts(candidate, tries, hasAgent);
  const view = (parts: Parts): EnrolmentView => ({
    key: candidate.key,
    nextAttemptAt: undefined,
    attempts: tries?.attempts ?? 0,
    commandId: commandOf(tries),
    ...parts,
  });
  if (settled !== undefined) return { view: view(settled), reachable: false, needsSsm: false };
  const [parts, reachable] = bySsm(candidate, tries, facts);
  return { view: view(parts), reachable, needsSsm: true };
}

/** What stands whatever SSM says. */
function settledParts(
  { state, platform }: EnrolmentCandidate,
  tries: Tries | undefined,
  hasAgent: boolean,
): Parts | undefined {
  if (hasAgent) return { state: 'ENROLLED', reason: '' };
  if (tries !== undefined && isInFlight(tries)) return { state: 'PENDING', reason: pendingReason(tries) };
  if (platform === 'windows') return { state: 'UNSUPPORTED', reason: REASONS.windows };
  return state === 'running' ? undefined : { state: 'NOT_RUNNING', reason: notRunning(state) };
}

function bySsm(
  { key }: EnrolmentCandidate,
  tries: Tries | undefined,
  facts: Pick<EnrolmentFacts, 'ssm'>,
): [Parts, reachable: boolean] {
  const failed = tries?.standing.phase === 'failed' ? tries.standing : undefined;
  const ssm = facts.ssm(key);
  const online = ssm.kind === 'known' ? (ssm.online.get(key.instance) ?? false) : undefined;
  if (ssm.kind === 'known' && online === false) {
    const reason = ssm.online.has(key.instance) ? REASONS.offline : REASONS.unknown;
    return [{ state: 'NO_SSM_AGENT', reason: withFailure(reason, failed?.reason) }, false];
  }
  if (failed !== undefined) {
    const { reason, retryAt: nextAttemptAt } = failed;
    return [{ state: 'FAILED', reason, nextAttemptAt }, online === true];
  }
  if (ssm.kind === 'unknown') return [{ state: 'WAITING', reason: REASONS.notAsked }, false];
  if (ssm.kind === 'failing') return [{ state: 'WAITING', reason: ssm.reason }, false];
  const reason = tries?.standing.phase === 'due' ? tries.standing.reason : REASONS.waiting;
  return [{ state: 'WAITING', reason }, true];
}

function pendingReason({ standing }: Tries): string {
  if (standing.phase === 'claimed') return REASONS.claimed;
  return standing.phase === 'commanded' ? REASONS.commanded : REASONS.carriedOut;
}

function commandOf(tries: Tries | undefined): string {
  return tries !== undefined && 'commandId' in tries.standing ? tries.standing.commandId : '';
}
