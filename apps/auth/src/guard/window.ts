import { z } from 'zod';
import { parseJson } from './hold.ts';
import type { Change, Hold } from './hold.ts';

/** From when on a change is a person's to decide. */
export interface Thresholds {
  /** False: everything goes. */
  readonly enabled: boolean;
  /** Of the scope's nodes, above 0 to 1. */
  readonly share: number;
  readonly nodes: number;
  /** Milliseconds in which changes add up. */
  readonly windowMs: number;
}

/** What went before in one scope. */
export interface ScopeWindow {
  /** Changes that went without a person, the oldest first. */
  readonly changes: readonly { readonly at: number; readonly fingerprint: string; readonly nodes: number }[];
  /** Ids of holds, the oldest first. */
  readonly holds: readonly string[];
}

/**
 * `go`: with what is to be kept of it (undefined: nothing new), and the waiting hold that is thereby over.
 * `again`: it is a hold already, with the figures of now. `hold`: a new one is to be made.
 */
export type Judgement =
  | { readonly verdict: 'go'; readonly window: ScopeWindow | undefined; readonly over: Hold | undefined }
  | { readonly verdict: 'again'; readonly hold: Hold }
  | { readonly verdict: 'dropped'; readonly hold: Hold }
  | { readonly verdict: 'hold'; readonly nodesChangedBefore: number };

export interface Weighed extends Change {
  /**
   * Whether the change is of a source that is asked again and again, whose next word takes the place of the
   * one before: a hold then follows it, and a release is good for a window.
   */
  readonly follows: boolean;
}

export const EMPTY_WINDOW: ScopeWindow = { changes: [], holds: [] };
/** Beyond, the oldest are counted as one: a window is a record of a few kilobytes. */
const MAX_CHANGES = 100;
/** Holds of a scope that the guard looks at. */
const MAX_HOLDS = 50;

/** Whether so many changed nodes of so many are a person's to decide. */
export function isLarge(changed: number, total: number, { share, nodes }: Thresholds): boolean {
  return changed >= nodes && changed >= share * total;
}

/**
 * What becomes of a change.
 *
 * @param holds those of the window that are still there
 * @param now Unix milliseconds
 */
export function judge(
  change: Weighed,
  { window, holds }: { readonly window: ScopeWindow; readonly holds: readonly Hold[] },
  thresholds: Thresholds,
  now: number,
): Judgement {
  const since = now - thresholds.windowMs;
  const waiting = change.follows ? holds.findLast(({ state }) => state === 'held') : undefined;
  if (change.nodesChanged === 0 || !thresholds.enabled) return { ...GO, over: waiting };
  const same = holds.findLast(({ fingerprint }) => fingerprint === change.fingerprint);
  if (same?.state === 'held') return { verdict: 'again', hold: { ...same, ...figuresOf(change) } };
  if (change.follows && same?.state === 'released') return { ...GO, over: waiting };
  if (change.follows && same !== undefined && isDropped(same)) return { verdict: 'dropped', hold: same };
  const recent = window.changes.filter(({ at }) => at > since);
  if (recent.some((went) => isCovered(change, went))) return { ...GO, over: waiting };
  const before = recent.reduce((sum, { nodes }) => sum + nodes, 0);
  if (!isLarge(before + change.nodesChanged, change.nodesTotal, thresholds)) {
    const { fingerprint, nodesChanged: nodes } = change;
    const changes = shortened([...recent, { at: now, fingerprint, nodes }]);
    return { verdict: 'go', window: { ...window, changes }, over: waiting };
  }
  const released = holds.some(({ state, decidedAt = 0 }) => state === 'released' && decidedAt > since);
  if (change.follows && released) return { ...GO, over: waiting };
  if (waiting === undefined) return { verdict: 'hold', nodesChangedBefore: before };
  return {
    verdict: 'again',
    hold: { ...waiting, ...figuresOf(change), fingerprint: change.fingerprint, nodesChangedBefore: before },
  };
}

const GO = { verdict: 'go', window: undefined } as const;

/** By a person: one that its own author ended, since it was over, is held again when it comes again. */
function isDropped({ state, decidedBy, requestedBy }: Hold): boolean {
  return state === 'dropped' && decidedBy !== requestedBy;
}

/** It went before: whoever asks did not hear the answer. */
function isCovered(change: Change, went: ScopeWindow['changes'][number]): boolean {
  return went.fingerprint === change.fingerprint && went.nodes >= change.nodesChanged;
}

/** The window with one more hold. */
export function withHold(window: ScopeWindow, id: string): ScopeWindow {
  return { ...window, holds: [...window.holds, id].slice(-MAX_HOLDS) };
}

function figuresOf({ nodesChanged, nodesTotal, samples, description }: Change) {
  return { nodesChanged, nodesTotal, samples, description };
}

/** The two oldest become one, as of the younger of them: it counts no shorter than it should. */
function shortened(changes: ScopeWindow['changes']): ScopeWindow['changes'] {
  const [first, second, ...rest] = changes;
  if (changes.length <= MAX_CHANGES || first === undefined || second === undefined) return changes;
  return [{ ...second, nodes: first.nodes + second.nodes }, ...rest];
}

const stored = z.object({
  v: z.literal(1),
  changes: z.array(z.tuple([z.int(), z.string(), z.int()])),
  holds: z.array(z.string()),
});

/** The value for the store, under `guard/window/…`. */
export function encodeWindow({ changes, holds }: ScopeWindow): string {
  const value: z.input<typeof stored> = {
    v: 1,
    changes: changes.map(({ at, fingerprint, nodes }) => [at, fingerprint, nodes]),
    holds: [...holds],
  };
  return JSON.stringify(value);
}

/** One of a version that is not known here counts as empty. */
export function decodeWindow(value: string): ScopeWindow {
  const parsed = stored.safeParse(parseJson(value));
  if (!parsed.success) return EMPTY_WINDOW;
  const { changes, holds } = parsed.data;
  return { changes: changes.map(([at, fingerprint, nodes]) => ({ at, fingerprint, nodes })), holds };
}
