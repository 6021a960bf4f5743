import type { Store } from '@tagplane/store';
import { HOLD_PREFIX, decodeHold } from './hold.ts';
import type { Hold } from './hold.ts';

/** As many as there may be: one read of the store. */
export const MAX_HOLDS = 1_000;

/** Those in the store, the oldest first. */
export async function listHolds(store: Store, signal: AbortSignal): Promise<readonly Hold[]> {
  const entries = await store.range({ prefix: HOLD_PREFIX, limit: MAX_HOLDS }, { signal });
  return entries
    .map((entry) => decodeHold(entry))
    .filter((hold) => hold !== undefined)
    .toSorted((a, b) => a.heldAt - b.heldAt || (a.id < b.id ? -1 : 1));
}
