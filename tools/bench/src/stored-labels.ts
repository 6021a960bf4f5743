import { encodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import type { Store } from '@tagplane/store';
import { draftOf, inBatches } from './fleet.ts';

/** Writes to the store as another auth process would: what is measured is the push alone. */
export async function writeLabels(store: Store, agents: number, generation: number): Promise<void> {
  const { signal } = new AbortController();
  await inBatches(agents, { size: 100, inFlight: 4 }, async (from, to) => {
    const items = Array.from({ length: to - from }, (_, offset) => {
      const { ttlMs, ...draft } = draftOf(from + offset, generation);
      const value = encodeServerInfo({ ...draft, origin: 'discovery/bench' });
      return { key: serverInfoKey(draft.name), value, ttlMs };
    });
    await store.put(items, { signal });
  });
}
