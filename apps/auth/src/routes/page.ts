import { Code, ConnectError } from '@connectrpc/connect';
import type { Entry, Store } from '@tagplane/store';

const DEFAULT_PAGE_SIZE = 100;
/** Items of one read of the store: a bound on what one call holds in memory. */
const READ_SIZE = 250;
/** Items that one call looks at; with a filter, a page may come back short, or empty, with a next token. */
const MAX_EXAMINED = 2_000;
/**
 * Text of the stored values in one page. A message is at most 4 MiB; stored text and its message are about as
 * long, JSON's escapes included, but a node's message has its labels twice. This leaves room for a factor of two.
 */
const MAX_PAGE_BYTES = 1_024 * 1_024;

export interface PageRequest {
  /** 0 means the default of 100. */
  readonly pageSize: number;
  readonly pageToken: string;
  /** Only keys that begin with this. Default: all. */
  readonly prefix?: string;
}

export interface Page<Item> {
  readonly items: Item[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * Reads one page of a store in key order: bounded in items, in items examined, and in bytes.
 *
 * @param read the item of an entry, or undefined to leave it out
 * @throws ConnectError INVALID_ARGUMENT on a token that is not one of these
 */
export async function readPage<Item>(
  store: Store,
  request: PageRequest,
  read: (entry: Entry) => Item | undefined,
  signal: AbortSignal,
): Promise<Page<Item>> {
  const { prefix = '' } = request;
  const size = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const items: Item[] = [];
  let after = parsePageToken(request.pageToken);
  let examined = 0;
  let bytes = 0;
  while (items.length < size && examined < MAX_EXAMINED && bytes < MAX_PAGE_BYTES) {
    // Where some are left out, reading just as many as are wanted would be many small reads.
    const limit = items.length === examined ? Math.min(READ_SIZE, size - items.length) : READ_SIZE;
    const range = after === undefined ? { prefix, limit } : { prefix, after, limit };
    const entries = await store.range(range, { signal });
    for (const entry of entries) {
      // At least one item a page, however large.
      const full = bytes > 0 && bytes + Buffer.byteLength(entry.value) > MAX_PAGE_BYTES;
      if (full || items.length === size) {
        return { items, nextPageToken: pageToken(after) };
      }
      after = entry.key;
      examined += 1;
      const item = read(entry);
      if (item === undefined) continue;
      items.push(item);
      bytes += Buffer.byteLength(entry.value);
    }
    if (entries.length < limit) return { items, nextPageToken: '' };
  }
  return { items, nextPageToken: pageToken(after) };
}

/** Opaque to clients: the last key read. */
export function pageToken(after: string | undefined): string {
  return after === undefined ? '' : Buffer.from(`1${after}`).toString('base64url');
}

/** @throws ConnectError INVALID_ARGUMENT */
export function parsePageToken(token: string): string | undefined {
  if (token === '') return undefined;
  const text = Buffer.from(token, 'base64url').toString();
  const after = text.slice(1);
  if (!text.startsWith('1') || after === '' || pageToken(after) !== token) {
    throw new ConnectError('page_token: not one of a previous answer', Code.InvalidArgument);
  }
  return after;
}
