import { ServerInfoDecodeError, decodeServerInfo, originEnding } from '@tagplane/serverinfo';
import type { Delete, Entry, Expected, Put, Store, WriteOptions, WriteResult } from '@tagplane/store';

/** It was not written: somebody else's is there. */
export interface OfAnother {
  readonly written: false;
  /** As in a ServerInfo's origin. */
  readonly owner: string;
  /** Unix milliseconds. */
  readonly expiresAt: number | undefined;
}

export type OwnedResult = WriteResult | OfAnother;

export interface OwnedOptions extends WriteOptions {
  /** The writer, as `discovery/GROUP`. */
  readonly origin: string;
}

/** After as many, somebody writes the same key each time in between. */
const MAX_ROUNDS = 5;

/**
 * Puts ServerInfos where there is none that is live, or one of the same origin. This is exact whoever else writes,
 * and one call of the store as long as nothing is in the way; what is, is read, and replaced only as it was read.
 */
export async function putOwned(
  store: Store,
  puts: readonly Put[],
  options: OwnedOptions,
): Promise<readonly OwnedResult[]> {
  const ending = { endsWith: originEnding(options.origin) };
  return await writeOwned(store, puts, options, {
    // One that is to have a revision may have it and be another's.
    first: (put) =>
      put.expected !== undefined && 'revision' in put.expected
        ? undefined
        : { ...put, expected: put.expected ?? ending },
    next: nextPut,
    write: (items) => store.put(items, options),
  });
}

/** Deletes those of the keys whose ServerInfo is of this origin. */
export async function deleteOwned(
  store: Store,
  keys: readonly string[],
  options: OwnedOptions,
): Promise<readonly OwnedResult[]> {
  const ending = { endsWith: originEnding(options.origin) };
  const items: Delete[] = keys.map((key) => ({ key }));
  return await writeOwned(store, items, options, {
    first: ({ key }) => ({ key, expected: ending }),
    next: ({ key }, revision) => (revision === undefined ? undefined : { key, expected: { revision } }),
    write: (deletes) => store.delete(deletes, options),
  });
}

function nextPut(put: Put, revision: number | undefined): Put | undefined {
  const seen: Expected = revision === undefined ? { live: false } : { revision };
  const wanted = put.expected;
  const holds =
    wanted === undefined || ('revision' in wanted ? wanted.revision === revision : revision === undefined);
  return holds ? { ...put, expected: seen } : undefined;
}

interface Attempts<Item> {
  /** What to try at first; undefined: to look at what is there. */
  readonly first: (item: Item) => Item | undefined;
  /** What to try where this revision is the writer's, or nothing is live; undefined: no more. */
  readonly next: (item: Item, revision: number | undefined) => Item | undefined;
  readonly write: (items: readonly Item[]) => Promise<readonly WriteResult[]>;
}

interface Open<Item> {
  readonly index: number;
  readonly item: Item;
  readonly attempt: Item | undefined;
}

async function writeOwned<Item extends { readonly key: string }>(
  store: Store,
  items: readonly Item[],
  { origin, signal }: OwnedOptions,
  { first, next, write }: Attempts<Item>,
): Promise<readonly OwnedResult[]> {
  const results: OwnedResult[] = items.map(() => ({ written: false, actual: undefined }));
  let open: Open<Item>[] = items.map((item, index) => ({ index, item, attempt: first(item) }));
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const tried = open.filter(({ attempt }) => attempt !== undefined);
    // Also when there is nothing to try: a guard is to hold all the same.
    const written = await write(tried.flatMap(({ attempt }) => attempt ?? []));
    for (const [at, { index }] of tried.entries()) results[index] = written[at] ?? NOTHING;
    const refused = open.filter(({ index, attempt }) => attempt === undefined || !results[index]?.written);
    if (refused.length === 0) break;
    const found = await store.getMany(
      refused.map(({ item }) => item.key),
      { signal },
    );
    open = [];
    for (const [at, { index, item }] of refused.entries()) {
      const there = found[at];
      const live = there?.state === 'live' ? there : undefined;
      const owner = live && ownerOf(live);
      const revision = live?.revision;
      const attempt = next(item, revision);
      if (owner !== undefined && owner !== origin) {
        results[index] = { written: false, owner, expiresAt: live?.expiresAt };
      } else if (attempt === undefined) results[index] = { written: false, actual: revision };
      else open.push({ index, item, attempt });
    }
    if (open.length === 0) break;
  }
  return results;
}

/** Why it was not written, for a person. */
export function ownedReason({ owner, expiresAt }: OfAnother): string {
  const until =
    expiresAt === undefined ? '' : ` until ${new Date(expiresAt).toISOString()}, unless it renews it`;
  return `it belongs to ${owner}${until}`;
}

const NOTHING: WriteResult = { written: false, actual: undefined };

/** Undefined for one of a version that is not known here: there is no telling whose it is. */
function ownerOf(entry: Entry): string | undefined {
  try {
    return decodeServerInfo(entry).origin;
  } catch (error) {
    if (error instanceof ServerInfoDecodeError) return undefined;
    throw error;
  }
}
