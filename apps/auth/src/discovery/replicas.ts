import { MINUTE } from '@tagplane/runtime';
import type { Entry, Store } from '@tagplane/store';
import { z } from 'zod';
import { parsed } from './parsed.ts';

const REPLICA_PREFIX = 'replica/';
/** Of one that is not heard of any more. */
const TTL_MS = MINUTE;
/** Each asks every few seconds: one group has two or three. */
const MAX_REPLICAS = 1_000;

/** A process that holds the lease of its group, or waits for it. */
export interface Replica {
  readonly group: string;
  readonly replica: string;
  /** As `discovery/NAME`. */
  readonly identity: string;
  /** Of the program. */
  readonly version: string;
  /** Unix milliseconds of the auth process that heard of it. */
  readonly seenAt: number;
}

const stored = z.tuple([z.literal(1), z.string(), z.string(), z.int()]);

/** The replicas of all groups, for people: nothing is decided by them. */
export class Replicas {
  readonly #store: Store;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
  }

  /** Forgotten a minute later, unless it is seen again. False: there are too many. */
  async seen(replica: Replica, signal: AbortSignal): Promise<boolean> {
    const key = `${REPLICA_PREFIX}${replica.group}/${replica.replica}`;
    const put = { key, value: encode(replica), ttlMs: TTL_MS };
    const [renewed] = await this.#store.getMany([key], { signal });
    if (renewed?.state !== 'live' && (await this.#store.count(REPLICA_PREFIX, { signal })) >= MAX_REPLICAS) {
      return false;
    }
    await this.#store.put([put], { signal });
    return true;
  }

  /** By group and replica. */
  async list(signal: AbortSignal): Promise<Replica[]> {
    const entries = await this.#store.range({ prefix: REPLICA_PREFIX, limit: MAX_REPLICAS }, { signal });
    return entries.flatMap((entry) => decode(entry) ?? []);
  }
}

function encode({ identity, version, seenAt }: Replica): string {
  return JSON.stringify([1, identity, version, seenAt]);
}

/** Undefined for one of a version that is not known here. */
function decode({ key, value }: Entry): Replica | undefined {
  const result = stored.safeParse(parsed(value));
  const [group = '', replica = ''] = key.slice(REPLICA_PREFIX.length).split('/');
  if (!result.success) return undefined;
  const [, identity, version, seenAt] = result.data;
  return { group, replica, identity, version, seenAt };
}
