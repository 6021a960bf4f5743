import type { Labels } from '@tagplane/labels';
import type { HeldSet } from '@tagplane/session';
import type { LabelView } from './label-holder.ts';
import type { StatedView } from './own/stated-labels.ts';

/** Who says a label: the node's configuration or commands, instance metadata, discovery, operators. */
export type LabelSource = 'own' | 'command' | 'imported' | 'discovered' | 'assigned';

/** Labels of one source, as of now. Milliseconds. */
export interface AgentLabelSet {
  readonly source: LabelSource;
  readonly labels: Labels;
  /** Undefined: unknown, or they do not age. */
  readonly ageMs: number | undefined;
  /** Undefined: they count for ever; 0: no more. */
  readonly remainingMs: number | undefined;
}

/** What a node has to say what its labels are. */
export interface LabelFacts {
  readonly stated: StatedView;
  readonly held: LabelView;
}

/**
 * All labels of a node, those that ran out too; no key is in two sets. A set of `aws/` from the auth
 * service, be it empty, takes the place of what instance metadata said.
 */
export function labelSets({ stated, held }: LabelFacts): readonly AgentLabelSet[] {
  const fromAuth = [...held.fresh, ...held.stale];
  const discovered = fromAuth.some(({ namespace }) => namespace === 'aws/');
  return [
    ...(stated.configured.size === 0
      ? []
      : [{ source: 'own' as const, labels: stated.configured, ...AGELESS }]),
    ...commandSets(stated),
    ...(stated.imported === undefined || stated.imported.labels.size === 0 || discovered
      ? []
      : [{ source: 'imported' as const, ...stated.imported }]),
    ...fromAuth.map(setOf),
  ];
}

const AGELESS = { ageMs: undefined, remainingMs: undefined };

function commandSets({ commands }: StatedView): AgentLabelSet[] {
  return commands.flatMap(({ name, value, ageMs, remainingMs }) =>
    value === undefined
      ? []
      : [{ source: 'command' as const, labels: new Map([[name, value]]), ageMs, remainingMs }],
  );
}

function setOf({ namespace, labels, ageMs, remainingMs }: HeldSet): AgentLabelSet {
  return { source: namespace === 'aws/' ? 'discovered' : 'assigned', labels, ageMs, remainingMs };
}

/** Whether a set's labels count. */
export function counts({ remainingMs }: AgentLabelSet): boolean {
  return remainingMs === undefined || remainingMs > 0;
}
