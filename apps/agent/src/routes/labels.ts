import { NAMESPACES } from '@tagplane/labels';
import { SECOND } from '@tagplane/runtime';
import type { AgentView } from '../agent-view.ts';
import { counts, labelSets } from '../label-sets.ts';
import type { AgentLabelSet } from '../label-sets.ts';

/** `GET /v1/labels`: the labels that count on this node now, and where each is from. */
export interface LabelsDocument {
  readonly server_id: string;
  /** Of what the auth service sent; empty for nothing. */
  readonly revision: string;
  readonly freshness: 'fresh' | 'stale' | 'none';
  readonly labels: Readonly<Record<string, string>>;
  /** Also of those that ran out. */
  readonly sources: Readonly<Record<string, 'own' | 'command' | 'imported' | 'auth'>>;
  /** Ran out: shown only, they do not count. */
  readonly stale: Readonly<Record<string, string>>;
  /** Seconds since the source was asked, by namespace; null: unknown. */
  readonly age_s: Readonly<Record<string, number | null>>;
  /** Seconds until the labels stop counting, by namespace; null: never. */
  readonly expires_in_s: Readonly<Record<string, number | null>>;
  /** The labels of commands, by key. */
  readonly commands: Readonly<Record<string, CommandDocument>>;
}

/** Seconds. */
export interface CommandDocument {
  /** Null: it never said one. */
  readonly age_s: number | null;
  readonly expires_in_s: number | null;
  /** Why the last run brought no value. */
  readonly problem: string | null;
}

export function labelsDocument(view: AgentView): LabelsDocument {
  const sets = labelSets(view);
  const namespaced = sets.flatMap((set) => {
    const namespace = NAMESPACE_OF[set.source];
    return namespace === undefined ? [] : [[namespace, set] as const];
  });
  return {
    server_id: view.serverId,
    revision: view.held.revision,
    freshness: freshnessOf(view),
    // `fromEntries` makes own properties, also of a key such as `__proto__`.
    labels: Object.fromEntries(sets.filter(counts).flatMap(({ labels }) => [...labels])),
    sources: Object.fromEntries(sets.flatMap(sourcesOf)),
    stale: Object.fromEntries(sets.filter((set) => !counts(set)).flatMap(({ labels }) => [...labels])),
    age_s: Object.fromEntries(namespaced.map(([namespace, { ageMs }]) => [namespace, seconds(ageMs)])),
    expires_in_s: Object.fromEntries(
      namespaced.map(([namespace, { remainingMs }]) => [namespace, seconds(remainingMs)]),
    ),
    commands: Object.fromEntries(
      view.stated.commands.map(({ name, ageMs, remainingMs, problem }) => [
        name,
        { age_s: seconds(ageMs), expires_in_s: seconds(remainingMs), problem: problem ?? null },
      ]),
    ),
  };
}

const [AWS, DYNAMIC] = NAMESPACES;
const NAMESPACE_OF = {
  own: undefined,
  command: undefined,
  imported: AWS,
  discovered: AWS,
  assigned: DYNAMIC,
} as const satisfies Record<AgentLabelSet['source'], string | undefined>;

function sourcesOf({ source, labels }: AgentLabelSet): [string, LabelsDocument['sources'][string]][] {
  const shown = source === 'discovered' || source === 'assigned' ? 'auth' : source;
  return [...labels.keys()].map((key) => [key, shown]);
}

export function freshnessOf({ held }: Pick<AgentView, 'held'>): 'fresh' | 'stale' | 'none' {
  if (held.source === 'none') return 'none';
  return held.stale.length > 0 ? 'stale' : 'fresh';
}

/** Whole seconds; null for what is undefined or beyond telling. */
export function seconds(ms: number | undefined): number | null {
  return ms === undefined || !Number.isFinite(ms) ? null : Math.floor(ms / SECOND);
}
