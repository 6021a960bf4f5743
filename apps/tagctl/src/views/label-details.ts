import type { Labels } from '@tagplane/labels';
import { sortedEntries } from '@tagplane/labels';
import { keyText, valueText } from '../format/labels-text.ts';
import type { Cell } from '../format/table.ts';

/** A line for each label, the first one titled. */
export function labelDetails(labels: Labels): (readonly [string, Cell])[] {
  if (labels.size === 0) return [['labels', { text: 'none', colour: 'dim' }]];
  return sortedEntries(labels).map(([key, value], index) => [
    index === 0 ? 'labels' : '',
    { text: `${keyText(key)}=${valueText(value)}` },
  ]);
}
