import { Code, ConnectError } from '@connectrpc/connect';

/** Half a megabyte of ordinary nodes; a message may be eight times that. */
export const PAGE_SIZE = 500;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly next: string;
}

export type FetchPage<Item> = (request: { pageSize: number; pageToken: string }) => Promise<Page<Item>>;

/**
 * Every item, page by page, up to `limit` of them. A page too large for one message is asked for
 * again in smaller parts.
 *
 * @throws whatever `fetchPage` throws; an Error when the token does not move on
 */
export async function* pages<Item>(
  fetchPage: FetchPage<Item>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly Item[]> {
  let pageToken = '';
  let largest = PAGE_SIZE;
  let left = limit;
  while (left > 0) {
    const pageSize = Math.min(largest, left);
    let page: Page<Item>;
    try {
      page = await fetchPage({ pageSize, pageToken });
    } catch (error) {
      if (!isTooLarge(error) || pageSize === 1) throw error;
      largest = Math.ceil(pageSize / 4);
      continue;
    }
    const items = page.items.slice(0, left);
    left -= items.length;
    yield items;
    if (page.next === '') return;
    if (page.next === pageToken) throw new Error('the auth service sends the same page again and again');
    pageToken = page.next;
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.ResourceExhausted;
}
