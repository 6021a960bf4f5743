import type { LabelSet, NodeLabels } from '@tagplane/access';
import { labelSets } from '../label-sets.ts';
import type { AgentLabelSet, LabelFacts } from '../label-sets.ts';

/** Operators and a configuration state what is so; the others say what they saw. */
const STATED: ReadonlySet<AgentLabelSet['source']> = new Set(['own', 'assigned']);

/** Finite, so that sums with a role's greatest age are numbers. */
const LONG_AGO = -Number.MAX_SAFE_INTEGER;

/** What decisions know of this node, on a clock that is at 0 now. */
export function nodeLabels(facts: LabelFacts): NodeLabels {
  return { sets: labelSets(facts).map(setOf) };
}

function setOf({ source, labels, ageMs, remainingMs }: AgentLabelSet): LabelSet {
  return { source, labels, observedAt: observedAt(source, ageMs), expiresAt: remainingMs };
}

function observedAt(source: AgentLabelSet['source'], ageMs: number | undefined): number | undefined {
  if (ageMs !== undefined) return Math.max(LONG_AGO, -ageMs);
  // Seen, but when is not known: too old for every role that wants to know.
  return STATED.has(source) ? undefined : LONG_AGO;
}
