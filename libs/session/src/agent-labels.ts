import type { Labels, Namespace } from '@tagplane/labels';
import { elapsedMs } from './agent-clock.ts';
import type { ClockReading } from './agent-clock.ts';

/** Durations, not clock times: the two ends' clocks need not agree. */
export interface HeldLifetime {
  /** Milliseconds since the source said so; undefined: unknown. */
  readonly ageMs: number | undefined;
  /** Milliseconds until the labels stop counting; undefined: never. */
  readonly remainingMs: number | undefined;
}

/** The whole set of one namespace, with its lifetime as of the time it was received. */
export interface HeldSet extends HeldLifetime {
  readonly namespace: Namespace;
  readonly labels: Labels;
}

/** What an agent holds from the auth service. */
export interface HeldLabels {
  /** `labelsRevision` of all sets together. */
  readonly revision: string;
  /** At most one for each namespace. */
  readonly sets: readonly HeldSet[];
  /** When the lifetimes held. */
  readonly asOf: ClockReading;
}

/** The same labels with their lifetimes as of `now`; a remaining time never goes below 0. */
export function rebase(held: HeldLabels, now: ClockReading): HeldLabels {
  const passed = elapsedMs(held.asOf, now);
  const sets = held.sets.map((set) => ({
    ...set,
    ageMs: set.ageMs === undefined ? undefined : set.ageMs + passed,
    remainingMs: set.remainingMs === undefined ? undefined : Math.max(0, set.remainingMs - passed),
  }));
  return { revision: held.revision, sets, asOf: now };
}

/** Whether a rebased set's lifetime has run out. */
export function isStale(set: HeldLifetime): boolean {
  return set.remainingMs !== undefined && set.remainingMs <= 0;
}

/** The sets as of `now`: those that count, and those that are kept only to be shown. */
export function freshness(
  held: HeldLabels,
  now: ClockReading,
): { readonly fresh: readonly HeldSet[]; readonly stale: readonly HeldSet[] } {
  const { sets } = rebase(held, now);
  return { fresh: sets.filter((set) => !isStale(set)), stale: sets.filter((set) => isStale(set)) };
}

/** Milliseconds until the first set runs out, 0 when one has; undefined when none ever does. */
export function heldRemainingMs(held: HeldLabels, now: ClockReading): number | undefined {
  const remaining = rebase(held, now).sets.flatMap((set) => set.remainingMs ?? []);
  return remaining.length === 0 ? undefined : Math.min(...remaining);
}

/** Milliseconds since the source of the oldest set was asked; undefined when no set says. */
export function heldAgeMs(held: HeldLabels, now: ClockReading): number | undefined {
  const ages = rebase(held, now).sets.flatMap((set) => set.ageMs ?? []);
  return ages.length === 0 ? undefined : Math.max(...ages);
}
