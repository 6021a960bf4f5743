import type { Upsert } from '@tagplane/serverinfo';

/**
 * Three quarters of the 4 MiB that a message may have: the labels are counted as they are packed, and
 * the message's own framing takes the rest.
 */
const MAX_BATCH_BYTES = 3 * 1024 * 1024;
/** Name, match, times and the framing of one item. */
const ITEM_BYTES = 256;

/** How many of these, from the first, fit into one request; at least one. */
export function fitting(work: readonly Upsert[]): number {
  let bytes = 0;
  for (const [index, { found }] of work.entries()) {
    bytes += ITEM_BYTES + Buffer.byteLength(found.packedLabels);
    if (bytes > MAX_BATCH_BYTES && index > 0) return index;
  }
  return work.length;
}
