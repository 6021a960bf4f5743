import { hash } from 'node:crypto';
import type { Labels } from './labels.ts';
import { sortedEntries } from './labels.ts';

/**
 * Names a set of labels by its content: equal sets have equal revisions, on every process and after
 * every restart. 128 bits of SHA-256, as 32 hexadecimal digits; the empty set's is the empty string.
 */
export function labelsRevision(labels: Labels): string {
  if (labels.size === 0) return '';
  return hash('sha256', JSON.stringify(sortedEntries(labels)), 'hex').slice(0, 32);
}
