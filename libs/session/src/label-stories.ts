import type { Layer } from './assigned-labels.ts';
import type { Span } from './lifetimes.ts';
import type { Wanted } from './wanted-labels.ts';

/** Who says a label: a ServerInfo of operators, or the ServerInfo of the node's instance. */
export type Speaker = Layer | { readonly by: 'discovery'; readonly span: Span };

/** A word on a label that does not count, since a later layer says another. */
export interface OverruledWord {
  readonly value: string;
  readonly layer: Layer;
}

/** Where the value of one key comes from. */
export interface LabelStory {
  readonly key: string;
  readonly value: string;
  readonly speaker: Speaker;
  /** The node has too many, and this one is left out. */
  readonly omitted: boolean;
  /** The last one overruled first. */
  readonly overruled: readonly OverruledWord[];
}

/** One for each key that anybody wants the node to have, `aws/` first, then in the order of layers. */
export function labelStories(wanted: Extract<Wanted, { state: 'known' }>): readonly LabelStory[] {
  const stories: LabelStory[] = [];
  const aws = wanted.sets['aws/'];
  for (const [key, value] of aws?.labels ?? []) {
    const speaker: Speaker = { by: 'discovery', span: aws ?? NO_SPAN };
    stories.push({ key, value, speaker, omitted: false, overruled: [] });
  }
  const words = new Map<string, OverruledWord[]>();
  for (const layer of wanted.assigned.layers) {
    for (const [key, value] of layer.source.labels) {
      const said = words.get(key);
      if (said === undefined) words.set(key, [{ value, layer }]);
      else said.unshift({ value, layer });
    }
  }
  const omitted = new Set(wanted.assigned.omitted);
  for (const [key, [last, ...overruled]] of words) {
    if (last === undefined) continue;
    stories.push({ key, value: last.value, speaker: last.layer, omitted: omitted.has(key), overruled });
  }
  return stories;
}

const NO_SPAN: Span = { observedAt: undefined, expiresAt: undefined };
