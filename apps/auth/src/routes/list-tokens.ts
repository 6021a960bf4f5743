import type { ServiceImpl } from '@connectrpc/connect';
import type { TokenService } from '@tagplane/protocol';
import type { Store } from '@tagplane/store';
import { TOKEN_PREFIX, decodeToken } from '../join/token/tokens.ts';
import { readPage } from './page.ts';
import { tokenMessage } from './token-message.ts';

type ListTokens = ServiceImpl<typeof TokenService>['listTokens'];

const PAGE_SIZE = 1_000;

export function listTokens(options: { readonly store: Store; readonly now: () => number }): ListTokens {
  return async ({ pageSize, pageToken }, { signal }) => {
    const now = options.now();
    const request = { prefix: TOKEN_PREFIX, pageSize: pageSize === 0 ? PAGE_SIZE : pageSize, pageToken };
    const page = await readPage(
      options.store,
      request,
      (entry) => {
        const token = decodeToken(entry);
        return token === undefined || token.expiresAt <= now ? undefined : tokenMessage(token);
      },
      signal,
    );
    return { tokens: page.items, nextPageToken: page.nextPageToken };
  };
}
