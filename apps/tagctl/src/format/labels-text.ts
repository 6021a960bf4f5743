import type { Labels } from '@tagplane/labels';
import { sortedEntries } from '@tagplane/labels';
import { visible } from './escape.ts';

/** `k=v, k=v` in key order, for people; what would make that ambiguous is quoted. */
export function labelsText(labels: Labels): string {
  return sortedEntries(labels)
    .map(([key, value]) => `${keyText(key)}=${valueText(value)}`)
    .join(', ');
}

export function keyText(key: string): string {
  return quoted(key, /^$|^\s|\s$|[,="]/);
}

export function valueText(value: string): string {
  return quoted(value, /^$|^\s|\s$|[,"]/);
}

function quoted(text: string, when: RegExp): string {
  const shown = visible(text);
  return when.test(text) ? `"${shown.replaceAll('"', '\\"')}"` : shown;
}
