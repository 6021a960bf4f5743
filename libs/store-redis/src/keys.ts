import { checkKind } from '@tagplane/store';

/** The Redis keys of one kind. All carry the same hash tag, so that a Cluster keeps them on one node. */
export interface Keys {
  /** The last revision given out. */
  readonly last: string;
  readonly epoch: string;
  /** Stream of changes. */
  readonly feed: string;
  /** Sorted set of live keys, all with score 0, for ranges. */
  readonly index: string;
  /** Sorted set of live keys by their expiry in Unix milliseconds, `+inf` for those without. */
  readonly expiry: string;
  /** What precedes an item's key in the name of the Redis key that holds its value. */
  readonly values: string;
}

export function keysOf(kind: string): Keys {
  checkKind(kind);
  const name = (part: string): string => `tagplane:{${kind}}:${part}`;
  return {
    last: name('last'),
    epoch: name('epoch'),
    feed: name('feed'),
    index: name('index'),
    expiry: name('expiry'),
    values: name('v:'),
  };
}
