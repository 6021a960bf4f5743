import type { Labels } from '@tagplane/labels';
import { SECOND } from '@tagplane/runtime';
import type { AgentView } from '../agent-view.ts';

/** `GET /v1/labels`: the labels that count on this node now, and where each is from. */
export interface LabelsDocument {
  readonly server_id: string;
  /** Of what the auth service sent; empty for nothing. */
  readonly revision: string;
  readonly freshness: 'fresh' | 'stale' | 'none';
  readonly labels: Readonly<Record<string, string>>;
  readonly sources: Readonly<Record<string, 'own' | 'auth'>>;
  /** Ran out: shown only, they do not count. */
  readonly stale: Readonly<Record<string, string>>;
  /** Seconds since the source was asked, by namespace; null: unknown. */
  readonly age_s: Readonly<Record<string, number | null>>;
  /** Seconds until the labels stop counting, by namespace; null: never. */
  readonly expires_in_s: Readonly<Record<string, number | null>>;
}

export function labelsDocument(view: AgentView): LabelsDocument {
  const { fresh, stale } = view.held;
  const sets = [...fresh, ...stale];
  const auth: Labels = new Map(fresh.flatMap((set) => [...set.labels]));
  return {
    server_id: view.serverId,
    revision: view.held.revision,
    freshness: freshnessOf(view),
    // `fromEntries` makes own properties, also of a key such as `__proto__`.
    labels: Object.fromEntries([...view.ownLabels, ...auth]),
    sources: Object.fromEntries([
      ...[...view.ownLabels.keys()].map((key) => [key, 'own'] as const),
      ...[...auth.keys()].map((key) => [key, 'auth'] as const),
    ]),
    stale: Object.fromEntries(stale.flatMap((set) => [...set.labels])),
    age_s: Object.fromEntries(sets.map((set) => [set.namespace, seconds(set.ageMs)])),
    expires_in_s: Object.fromEntries(sets.map((set) => [set.namespace, seconds(set.remainingMs)])),
  };
}

export function freshnessOf({ held }: Pick<AgentView, 'held'>): 'fresh' | 'stale' | 'none' {
  if (held.source === 'none') return 'none';
  return held.stale.length > 0 ? 'stale' : 'fresh';
}

/** Whole seconds; null for what is undefined or beyond telling. */
export function seconds(ms: number | undefined): number | null {
  return ms === undefined || !Number.isFinite(ms) ? null : Math.floor(ms / SECOND);
}
