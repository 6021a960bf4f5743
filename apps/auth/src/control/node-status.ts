import { MAX_DYNAMIC_LABELS } from '@tagplane/labels';
import type { AuthSessionState } from '@tagplane/session';
import { syncAt } from '../nodes/node-record.ts';
import type { NodeSync } from '../nodes/node-record.ts';
import type { NodeFacts } from './facts.ts';
import type { Holding } from './holding.ts';
import { INSTANCE_PROBLEMS } from './instance-claim.ts';

/** What the labels that a node should have stand on; `unknown`: nobody can say what it should have. */
export type Basis = 'undecided' | 'server-info' | 'held' | 'nothing' | 'denied' | 'unknown';

export interface StatusInput {
  readonly sync: AuthSessionState['sync'];
  readonly basis: Basis;
  readonly facts: NodeFacts;
  readonly holding: Holding;
  readonly wantedRevision: string;
  /** Labels that are left out because the node has too many. */
  readonly omitted: number;
  readonly now: number;
}

const SYNCED: NodeSync = { state: 'synced', reason: '' };
const LOST = 'the store knows nothing of its instance; it keeps what it holds';

/** Whether the node has what it should have, and why not, for its record. */
export function statusOf(input: StatusInput): NodeSync {
  const { wantedRevision, holding, facts } = input;
  // Whatever else is on its way: it is not what it says it is.
  if (facts.problem !== undefined && facts.aws !== 'open') return unmatched(facts);
  return syncAt(settledStatus(input), { wantedRevision, acked: holding }, input.now);
}

function settledStatus({ sync, basis, facts, wantedRevision, omitted }: StatusInput): NodeSync {
  switch (sync.phase) {
    case 'awaiting-ack':
    case 'overdue':
      return pending('an update is on its way');
    case 'backing-off':
      return pending(`the agent refused an update: ${sync.reason}`);
    case 'closed':
    case 'awaiting-hello':
    case 'admitting':
    case 'undecided':
      return pending(basis === 'unknown' ? LOST : 'what it should have is being looked up');
    case 'synced':
      break;
  }
  if (basis === 'held') return pending(LOST);
  if (omitted > 0) return { state: 'synced', reason: omittedReason(omitted) };
  if (basis !== 'nothing' || wantedRevision !== '') return SYNCED;
  return unmatched(facts);
}

function omittedReason(count: number): string {
  const labels = `${count} ${count === 1 ? 'label' : 'labels'} of lowest precedence`;
  return `${labels} left out: a node has at most ${MAX_DYNAMIC_LABELS} under dynamic/`;
}

function pending(reason: string): NodeSync {
  return { state: 'pending', reason };
}

function unmatched({ problem, instance }: NodeFacts): NodeSync {
  const state = 'unmatched';
  if (problem !== undefined) return { state, reason: INSTANCE_PROBLEMS[problem] };
  return { state, reason: instance === undefined ? 'it names no AWS instance' : 'no ServerInfo is for it' };
}
