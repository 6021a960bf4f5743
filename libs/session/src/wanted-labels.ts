import { NO_LABELS, labelsRevision } from '@tagplane/labels';
import type { Labels, Namespace } from '@tagplane/labels';
import { assignedLabels } from './assigned-labels.ts';
import type { AssignedLabels, Assignments, LabelSource } from './assigned-labels.ts';
import type { Span, LabelsVersion } from './lifetimes.ts';

/**
 * What the store says of the ServerInfo for the node's instance. `gone`: it was deleted or ran out, by
 * the store's own word. `absent`: the store knows nothing of it, also when the node names no instance.
 * `denied`: the node says it is an instance that it is not proven to be, so no `aws/` label may count,
 * whoever says it.
 */
export type Discovered =
  | { readonly state: 'live'; readonly source: LabelSource }
  | { readonly state: 'gone' }
  | { readonly state: 'absent' }
  | { readonly state: 'denied' };

/** What is known of the `aws/` labels that the node holds for this very instance. */
export type HeldAws =
  | { readonly state: 'none' }
  | { readonly state: 'known'; readonly source: LabelSource }
  | { readonly state: 'unknown' };

export interface WantedInput {
  readonly discovered: Discovered;
  readonly assigned: Assignments;
  readonly held: HeldAws;
}

/** The whole wanted set of each namespace; one with no labels may still be named (all tags removed). */
export type LabelSets = Readonly<Record<Namespace, LabelSource | undefined>>;

/**
 * `basis` says what the `aws/` labels stand on: a ServerInfo, what the node holds since the store has
 * lost it, nothing, or that there must be none. `keep`: not enough is known to say anything; the node keeps what it holds.
 */
export type Wanted =
  | {
      readonly state: 'known';
      readonly basis: 'server-info' | 'held' | 'nothing' | 'denied';
      readonly sets: LabelSets;
      readonly version: LabelsVersion;
      /** How the `dynamic/` labels came about, and which of them were too many. */
      readonly assigned: AssignedLabels;
    }
  | { readonly state: 'keep' };

/**
 * The labels that a node should have from the auth service (RFD 105, "Reconciling tags"): `aws/` from
 * the ServerInfo of its instance, then `dynamic/` from the assigned ones. `gone` takes `aws/` labels
 * away; `absent` never does: the node's own clock decides how long they count. Pure: reconciliation, preview
 * and explanation all ask here.
 */
export function wantedLabels(input: WantedInput): Wanted {
  const aws = awsSet(input);
  if (aws === 'keep') return { state: 'keep' };
  const assigned = assignedLabels(input.assigned, aws.source);
  const sets = { 'aws/': aws.source, 'dynamic/': assigned.set };
  const version = versionOf(sets);
  if (aws.basis !== 'denied') return { state: 'known', basis: aws.basis, sets, version, assigned };
  return { state: 'known', basis: aws.basis, sets, version: { ...version, cleared: true }, assigned };
}

/** The name of these sets by content, with their spans. A set without labels has nothing to run out. */
export function versionOf(sets: LabelSets): LabelsVersion {
  const aws = sets['aws/'];
  const dynamic = sets['dynamic/'];
  return {
    revision: labelsRevision(union(aws?.labels ?? NO_LABELS, dynamic?.labels ?? NO_LABELS)),
    spans: { 'aws/': spanOf(aws), 'dynamic/': spanOf(dynamic) },
  };
}

export interface NodeLabelsInput {
  /** Static and command labels. */
  readonly own: Labels;
  /** `aws/` labels that the agent imported from instance metadata. */
  readonly imported: Labels;
  /** What it holds from the auth service; `aws/` undefined: no ServerInfo speaks for it. */
  readonly sets: Readonly<Record<Namespace, Labels | undefined>>;
}

/**
 * All labels of a node: its own, then `aws/`, then `dynamic/`. A ServerInfo clears every imported
 * `aws/` label and puts its own in their place, also when it has none (RFD 105); with no ServerInfo the
 * imported ones stand.
 */
export function nodeLabels(input: NodeLabelsInput): Labels {
  const labels = new Map(input.own);
  for (const [key, value] of input.sets['aws/'] ?? input.imported) labels.set(key, value);
  for (const [key, value] of input.sets['dynamic/'] ?? NO_LABELS) labels.set(key, value);
  return labels;
}

const NO_AWS: LabelSource = { labels: NO_LABELS, observedAt: undefined, expiresAt: undefined };

function awsSet(
  input: WantedInput,
): { basis: 'server-info' | 'held' | 'nothing' | 'denied'; source: LabelSource | undefined } | 'keep' {
  switch (input.discovered.state) {
    case 'live':
      return { basis: 'server-info', source: input.discovered.source };
    case 'gone':
      return { basis: 'nothing', source: undefined };
    case 'denied':
      return { basis: 'denied', source: NO_AWS };
    case 'absent':
      break;
  }
  if (input.held.state === 'unknown') return 'keep';
  if (input.held.state === 'none') return { basis: 'nothing', source: undefined };
  // Also after their end: ended labels are unknown to the agent and still stand in the way of a grant.
  return { basis: 'held', source: input.held.source };
}

function spanOf(source: LabelSource | undefined): Span | undefined {
  if (source === undefined || source.labels.size === 0) return undefined;
  return { observedAt: source.observedAt, expiresAt: source.expiresAt };
}

function union(a: Labels, b: Labels): Labels {
  if (a.size === 0) return b;
  return b.size === 0 ? a : new Map([...a, ...b]);
}
