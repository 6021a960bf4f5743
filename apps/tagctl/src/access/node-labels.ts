import type { LabelSet, LabelSource, NodeLabels } from '@tagplane/access';
import { NodeLabelSource, labelsFromMessage, optionalTimestampMs } from '@tagplane/protocol';
import type { Node } from '@tagplane/protocol';

/** A node's labels as the auth service last heard of them, fit to decide by. Times are on its clock. */
export function nodeLabels({ labelSets }: Pick<Node, 'labelSets'>): NodeLabels {
  return {
    sets: labelSets.flatMap((set): LabelSet[] => {
      const source = sourceOf(set.source);
      // What it does not know, it does not decide by: unknown labels never widen access.
      if (source === undefined) return [];
      return [
        {
          source,
          labels: labelsFromMessage(set.labels),
          observedAt: optionalTimestampMs(set.observedAt),
          expiresAt: optionalTimestampMs(set.expiresAt),
        },
      ];
    }),
  };
}

function sourceOf(source: NodeLabelSource): LabelSource | undefined {
  switch (source) {
    case NodeLabelSource.OWN:
      return 'own';
    case NodeLabelSource.IMPORTED:
      return 'imported';
    case NodeLabelSource.DISCOVERED:
      return 'discovered';
    case NodeLabelSource.ASSIGNED:
      return 'assigned';
    default:
      return undefined;
  }
}
