import { MAX_DYNAMIC_LABELS, sortedEntries } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { commonSpan } from './lifetimes.ts';
import type { Span } from './lifetimes.ts';

/** Labels from one ServerInfo, all under one namespace. */
export interface LabelSource extends Span {
  readonly labels: Labels;
}

/** The same from one of operators. */
export interface AssignedSource extends LabelSource {
  readonly name: string;
  /** The store's, of its write. */
  readonly revision: number;
}

/** One whose selector holds for the node. */
export interface SelectedSource {
  readonly source: AssignedSource;
  /** Its selector names a key under `aws/`: without discovery's word it would not hold. */
  readonly restsOnAws: boolean;
}

/** The ServerInfos of operators, as they concern one node; each list in the order of names. */
export interface Assignments {
  readonly byInstance: readonly AssignedSource[];
  readonly byServerId: readonly AssignedSource[];
  /** Those whose selector holds for these labels, in the order of names. Undefined: there are no selectors. */
  readonly select: ((labels: Labels) => readonly SelectedSource[]) | undefined;
}

export const NOT_ASSIGNED: Assignments = { byInstance: [], byServerId: [], select: undefined };

/** How a ServerInfo of operators came to be for the node; a later one of these wins over an earlier one. */
export type AssignedBy = 'selector' | 'instance' | 'server-id';

/** One ServerInfo of operators that is for the node. */
export interface Layer {
  readonly by: AssignedBy;
  readonly source: AssignedSource;
  /** Its own span, cut to that of the `aws/` labels that it rests on. */
  readonly span: Span;
}

/** The node's `dynamic/` labels, and how they came about. */
export interface AssignedLabels {
  /** Undefined: no ServerInfo of operators is for the node. */
  readonly set: LabelSource | undefined;
  /** In order of precedence: a later one wins. */
  readonly layers: readonly Layer[];
  /** Keys that were left out because the node has too many, in no order. */
  readonly omitted: readonly string[];
}

/**
 * The `dynamic/` labels of a node, in two stages: first those by instance and by server id, then those by
 * selectors, which see `aws/` and the labels of the first stage and nothing else. So the result depends on no
 * order, and selectors never on selectors.
 *
 * @param aws the labels that discovery vouches for; undefined: none
 */
export function assignedLabels(assignments: Assignments, aws: LabelSource | undefined): AssignedLabels {
  const named = namedLayers(assignments);
  const first = merge(named);
  const selected = assignments.select?.(union(aws?.labels, first.set?.labels)) ?? [];
  if (selected.length === 0) return first;
  const bySelector = selected.map(({ source, restsOnAws }) =>
    layer('selector', source, restsOnAws ? aws : undefined),
  );
  return merge([...bySelector, ...named]);
}

/** The labels that selectors see: those of the first stage. */
export function selectableLabels(
  assignments: Omit<Assignments, 'select'>,
  aws: LabelSource | undefined,
): Labels {
  return union(aws?.labels, merge(namedLayers(assignments)).set?.labels);
}

function namedLayers({ byInstance, byServerId }: Omit<Assignments, 'select'>): readonly Layer[] {
  if (byInstance.length + byServerId.length === 0) return NO_LAYERS;
  return [
    ...byInstance.map((source) => layer('instance', source)),
    ...byServerId.map((source) => layer('server-id', source)),
  ];
}

function layer(by: AssignedBy, source: AssignedSource, basis?: Span): Layer {
  return { by, source, span: basis === undefined ? source : commonSpan([source, basis]) };
}

/**
 * From the highest precedence down, until there are as many labels as a node may have. What is overruled
 * altogether does not end the rest.
 */
function merge(layers: readonly Layer[]): AssignedLabels {
  if (layers.length === 0) return NOTHING_ASSIGNED;
  const labels = new Map<string, string>();
  const omitted = new Set<string>();
  const spans: Span[] = [];
  for (const { source, span } of layers.toReversed()) {
    const before = labels.size;
    const full = before + source.labels.size > MAX_DYNAMIC_LABELS;
    // Which of them are left out must not depend on the order in which somebody wrote them.
    for (const [key, value] of full ? sortedEntries(source.labels) : source.labels) {
      if (labels.has(key)) continue;
      if (labels.size < MAX_DYNAMIC_LABELS) labels.set(key, value);
      else omitted.add(key);
    }
    if (labels.size > before) spans.push(span);
  }
  return {
    set: { labels, ...(spans.length === 0 ? ENDLESS : commonSpan(spans)) },
    layers,
    omitted: [...omitted],
  };
}

const NO_LAYERS: readonly Layer[] = [];
const NOTHING_ASSIGNED: AssignedLabels = { set: undefined, layers: NO_LAYERS, omitted: [] };
const ENDLESS: Span = { observedAt: undefined, expiresAt: undefined };

function union(a: Labels | undefined, b: Labels | undefined): Labels {
  if (a === undefined || a.size === 0) return b ?? new Map();
  return b === undefined || b.size === 0 ? a : new Map([...a, ...b]);
}
