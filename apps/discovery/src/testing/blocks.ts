import { estateFields } from '../estate/config.ts';
import type { EstateBlock } from '../estate/config.ts';

/** Entries of `aws:`, as discovery.yaml would have them. */
export function blocksOf(...entries: readonly Readonly<Record<string, unknown>>[]): readonly EstateBlock[] {
  return entries.flatMap((entry) => estateFields.aws.parse([entry]));
}
