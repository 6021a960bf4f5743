import { Code, ConnectError } from '@connectrpc/connect';
import { SECOND, sleep } from '@tagplane/runtime';
import { ASSIGNED_PREFIX } from '@tagplane/serverinfo';
import type { GuardCaller } from '../guard/guard.ts';
import { MAX_HELD_BYTES, encodeHeldRequest, requestFingerprint } from '../guard/held-request.ts';
import type { HeldRequest } from '../guard/held-request.ts';
import type { Weighed } from '../guard/window.ts';
import { takesAway } from '../preview/node-change.ts';
import { propose } from '../preview/proposal.ts';
import type { ProposedChange } from '../preview/proposal.ts';
import { survey } from '../preview/survey.ts';
import { translateGuardError } from './guard-errors.ts';
import type { AssignedContext } from './route-context.ts';

/** All that operators write adds up. */
export const OPERATORS_SCOPE = 'dynamic/';
const MAX_SAMPLES = 20;
/** They are read within seconds of the start. */
const LOADING_MS = 5 * SECOND;
const POLL_MS = 20;

export interface Asking {
  readonly change: ProposedChange;
  readonly request: HeldRequest;
  readonly caller: GuardCaller;
  /** For a person, such as `3 ServerInfos written`. */
  readonly what: string;
}

/**
 * Asks the guard about a write of an operator.
 *
 * @returns the hold that it waits for; undefined: it may go on
 * @throws ConnectError RESOURCE_EXHAUSTED when it would have to be held and cannot be
 */
export async function operatorLeave(
  routes: AssignedContext,
  { change, request, caller, what }: Asking,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { guard } = routes;
  if (!guard.thresholds.enabled || change.drafts.length + change.removed.length === 0) return undefined;
  const { names, ...weighed } = await weigh(routes, change, signal);
  if (weighed.nodesChanged === 0) return undefined;
  const encoded = encodeHeldRequest(request);
  const asked: Weighed = {
    ...weighed,
    fingerprint: requestFingerprint(encoded),
    requestedBy: caller.actor,
    description: `${what}: ${weighed.nodesChanged} nodes would lose labels, or have them changed`,
  };
  if (encoded.length > MAX_HELD_BYTES) {
    if (!(await guard.wouldHold(asked, OPERATORS_SCOPE, signal))) return undefined;
    const reason = 'it would change too many nodes, and is too large to be held: send it in parts';
    throw new ConnectError(reason, Code.ResourceExhausted);
  }
  const verdict = await guard
    .ask(asked, { windowName: OPERATORS_SCOPE, request: encoded, caller }, signal)
    .catch(translateGuardError);
  if (verdict.verdict !== 'go') return verdict.hold.id;
  guard.recent.note(names);
  return undefined;
}

interface Figures extends Omit<Weighed, 'fingerprint' | 'requestedBy' | 'description'> {
  /** Of the nodes that count. */
  readonly names: readonly string[];
}

/** How many nodes would lose labels. Reads all nodes only where a selector is about them. */
async function weigh(routes: AssignedContext, change: ProposedChange, signal: AbortSignal): Promise<Figures> {
  const { stores, assigned } = routes;
  await whenLoaded(routes, signal);
  const now = Date.now();
  const proposal = propose(change, assigned.index.set, now);
  const names: string[] = [];
  for await (const { name, change: of } of survey({ stores, proposal, exact: false, now }, signal)) {
    if (of !== undefined && takesAway(of) && !routes.guard.recent.has(name)) names.push(name);
  }
  const nodesChanged = names.length;
  const total = nodesChanged === 0 ? 0 : await stores.nodes.count('', { signal });
  const nodesTotal = Math.max(nodesChanged, total);
  const samples = names.slice(0, MAX_SAMPLES);
  return { scope: OPERATORS_SCOPE, names, nodesChanged, nodesTotal, samples, follows: false };
}

/**
 * Rejects as the store does while that is away.
 *
 * @throws ConnectError UNAVAILABLE when the ServerInfos of operators are not known in time
 */
export async function whenLoaded({ assigned, stores }: AssignedContext, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; !assigned.index.loaded; waitedMs += POLL_MS) {
    if (waitedMs >= LOADING_MS) {
      throw new ConnectError('the ServerInfos of operators are not loaded yet', Code.Unavailable);
    }
    // A store that is away is to be named as what it is.
    await stores.serverInfos.range({ prefix: ASSIGNED_PREFIX, limit: 1 }, { signal });
    await sleep(POLL_MS, signal);
  }
}
