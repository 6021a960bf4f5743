import { NAMESPACES, labelsRevision, nodeSetProblem } from '@tagplane/labels';
import type { Labels, Namespace } from '@tagplane/labels';
import { rebase } from './agent-labels.ts';
import type { ClockReading } from './agent-clock.ts';
import type { HeldLabels, HeldLifetime, HeldSet } from './agent-labels.ts';

/** One namespace's set as it was received: nothing about it is known to be right. */
export interface OfferedSet extends HeldLifetime {
  readonly namespace: string;
  readonly labels: Labels;
}

/** An update as it was received. */
export interface OfferedUpdate {
  readonly nonce: string;
  readonly revision: string;
  readonly change:
    | { readonly kind: 'replace'; readonly sets: readonly OfferedSet[] }
    | { readonly kind: 'renew'; readonly lifetimes: ReadonlyMap<string, HeldLifetime> }
    /** A member that this version does not know. */
    | { readonly kind: 'unknown' };
}

/** What becomes of an update. The reason is for a person and never holds a label's value. */
export type UpdatePlan =
  | { readonly kind: 'accept'; readonly held: HeldLabels }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * What an agent should hold after this update.
 *
 * @param held what it holds now; undefined: nothing yet
 */
export function planUpdate(
  held: HeldLabels | undefined,
  update: OfferedUpdate,
  now: ClockReading,
): UpdatePlan {
  switch (update.change.kind) {
    case 'replace':
      return planReplace(update.revision, update.change.sets, now);
    case 'renew':
      return planRenew(held, update.revision, update.change.lifetimes, now);
    case 'unknown':
      return refuse('a kind of change that this agent does not know');
  }
}

function planReplace(revision: string, offered: readonly OfferedSet[], now: ClockReading): UpdatePlan {
  const sets = new Map<Namespace, HeldSet>();
  for (const set of offered) {
    const namespace = NAMESPACES.find((known) => known === set.namespace);
    if (namespace === undefined)
      return refuse(`unknown namespace ${JSON.stringify(set.namespace.slice(0, 40))}`);
    if (sets.has(namespace)) return refuse(`two sets for ${namespace}`);
    const problem = nodeSetProblem(namespace, set.labels);
    if (problem !== undefined) return refuse(problem);
    sets.set(namespace, { ...lifetimeOf(set), namespace, labels: set.labels });
  }
  const content = labelsRevision(new Map([...sets.values()].flatMap((set) => [...set.labels])));
  if (content !== revision) return refuse('the labels do not have the revision that came with them');
  return { kind: 'accept', held: { revision, sets: [...sets.values()], asOf: now } };
}

function planRenew(
  held: HeldLabels | undefined,
  revision: string,
  lifetimes: ReadonlyMap<string, HeldLifetime>,
  now: ClockReading,
): UpdatePlan {
  if (held?.revision !== revision) return refuse('a renewal of labels that this agent does not hold');
  for (const namespace of lifetimes.keys()) {
    if (!NAMESPACES.some((known) => known === namespace)) {
      return refuse(`unknown namespace ${JSON.stringify(namespace.slice(0, 40))}`);
    }
  }
  const rebased = rebase(held, now);
  const sets = rebased.sets.map((set) => {
    const lifetime = lifetimes.get(set.namespace);
    return lifetime === undefined ? set : { ...set, ...lifetimeOf(lifetime) };
  });
  return { kind: 'accept', held: { ...rebased, sets } };
}

/** Rounding on the way may leave a lifetime just below 0. */
function lifetimeOf({ ageMs, remainingMs }: HeldLifetime): HeldLifetime {
  return {
    ageMs: ageMs === undefined ? undefined : Math.max(0, ageMs),
    remainingMs: remainingMs === undefined ? undefined : Math.max(0, remainingMs),
  };
}

function refuse(reason: string): UpdatePlan {
  return { kind: 'refuse', reason };
}
