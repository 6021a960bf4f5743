import type { Labels } from '@tagplane/labels';

/** Who says a set of labels. */
export type LabelSource = 'own' | 'command' | 'imported' | 'discovered' | 'assigned';

/** Labels of one origin, with one age and one end. */
export interface LabelSet {
  readonly source: LabelSource;
  readonly labels: Labels;
  /** When the source said so; undefined: it does not age, being configured or stated by an operator. */
  readonly observedAt: number | undefined;
  /** From then on they do not count; undefined: never. */
  readonly expiresAt: number | undefined;
}

/**
 * What a node knows of itself; of two sets with one key the later one counts, fresh or not. Sets by discovery
 * replace imported ones as a whole. Times are on the clock of the `now` that goes with it.
 *
 * Verdicts are cached by this object's identity: a change of labels is a new object, never one written to.
 */
export interface NodeLabels {
  readonly sets: readonly LabelSet[];
}

/** The one value that counts for a key, if it is fresh. */
export interface ResolvedLabel {
  readonly value: string;
  readonly set: LabelSet;
}

/** The sets that count, the one that wins first. */
export function effectiveSets({ sets }: NodeLabels): readonly LabelSet[] {
  const discovered = sets.some(({ source }) => source === 'discovered');
  // Else taking a tag away would bring back what the node itself had read of it.
  return sets.filter(({ source }) => !(discovered && source === 'imported')).reverse();
}

/** @param sets by `effectiveSets` */
export function resolveLabel(sets: readonly LabelSet[], key: string): ResolvedLabel | undefined {
  for (const set of sets) {
    const value = set.labels.get(key);
    if (value !== undefined) return { value, set };
  }
  return undefined;
}

/** Whether both say the same for the same time. */
export function isSameLabel(a: ResolvedLabel | undefined, b: ResolvedLabel | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.value === b.value && a.set.observedAt === b.set.observedAt && a.set.expiresAt === b.set.expiresAt;
}

/** The instant from which a label of this set is unknown to a role of this greatest age; Infinity: never. */
export function countsUntil(set: LabelSet, maxAgeMs: number): number {
  const expires = set.expiresAt ?? Infinity;
  return set.observedAt === undefined ? expires : Math.min(expires, set.observedAt + maxAgeMs);
}
