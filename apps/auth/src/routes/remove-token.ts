import type { ServiceImpl } from '@connectrpc/connect';
import { peerText } from '@tagplane/identity';
import { connectionOf, peerOf } from '@tagplane/protocol';
import type { TokenService } from '@tagplane/protocol';
import { isTokenId } from '../join/token/token-text.ts';
import type { TokenRoutes } from './add-token.ts';

type RemoveToken = ServiceImpl<typeof TokenService>['removeToken'];

export function removeToken({ tokens, audit }: TokenRoutes): RemoveToken {
  return async ({ id }, context) => {
    const removed = isTokenId(id) && (await tokens.remove(id, context.signal));
    if (removed) {
      audit.record({
        code: 'token.removed',
        result: 'ok',
        actor: peerText(peerOf(context)),
        remoteAddress: connectionOf(context)?.remoteAddress,
        subjects: [id],
      });
    }
    return { removed };
  };
}
