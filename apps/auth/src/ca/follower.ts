import type { PeerConnection } from '@tagplane/protocol';
import type { Store } from '@tagplane/store';
import { z } from 'zod';

/** How far the peers of one auth process have followed. Operators' command lines come and go: not counted. */
export interface Follower {
  readonly authId: string;
  /** That its own certificate and trust are of. */
  readonly generation: number;
  /** Connections of agents and discoveries. */
  readonly peers: number;
  /** Of these, the ones that hold the bundle of this generation. */
  readonly trusting: number;
  /** Of these, the ones whose certificate the signing authority made. */
  readonly renewed: number;
  /** SPIFFE IDs of some that lack either. */
  readonly waitingFor: readonly string[];
}

const PREFIX = 'ca/follow/';
const MAX_NAMED = 10;
/** Far more than auth processes; what is beyond is not read. */
const MAX_FOLLOWERS = 1_000;

const stored = z.object({
  generation: z.int(),
  peers: z.int(),
  trusting: z.int(),
  renewed: z.int(),
  waiting_for: z.array(z.string()),
});

/** @param present the generation there is now, and the pin of the authority that signs */
export function countFollowers(
  authId: string,
  present: { readonly generation: number; readonly signer: string },
  connections: Iterable<Pick<PeerConnection, 'identity' | 'trustGeneration'>>,
): Follower {
  const waitingFor = new Set<string>();
  let [peers, trusting, renewed] = [0, 0, 0];
  for (const { identity, trustGeneration } of connections) {
    if (identity?.peer.role !== 'agent' && identity?.peer.role !== 'discovery') continue;
    const trusts = trustGeneration >= present.generation;
    const isRenewed = identity.issuer === present.signer;
    peers += 1;
    if (trusts) trusting += 1;
    if (isRenewed) renewed += 1;
    if (!(trusts && isRenewed) && waitingFor.size < MAX_NAMED) waitingFor.add(identity.id);
  }
  const { generation } = present;
  return { authId, generation, peers, trusting, renewed, waitingFor: [...waitingFor] };
}

export async function writeFollower(
  store: Store,
  follower: Follower,
  { ttlMs, signal }: { readonly ttlMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { authId, waitingFor, ...counts } = follower;
  const value: z.input<typeof stored> = { ...counts, waiting_for: [...waitingFor] };
  await store.put([{ key: PREFIX + authId, value: JSON.stringify(value), ttlMs }], { signal });
}

export async function removeFollower(store: Store, authId: string, signal: AbortSignal): Promise<void> {
  await store.delete([{ key: PREFIX + authId }], { signal });
}

/** Those that reported lately; what this version cannot read counts as not following. */
export async function readFollowers(store: Store, signal: AbortSignal): Promise<Follower[]> {
  const entries = await store.range({ prefix: PREFIX, limit: MAX_FOLLOWERS }, { signal });
  return entries.map(({ key, value }) => {
    const authId = key.slice(PREFIX.length);
    const counts = stored.safeParse(parseJson(value));
    if (!counts.success) return { authId, generation: 0, peers: 0, trusting: 0, renewed: 0, waitingFor: [] };
    const { waiting_for: waitingFor, ...rest } = counts.data;
    return { authId, ...rest, waitingFor };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
