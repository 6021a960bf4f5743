import type { ServiceImpl } from '@connectrpc/connect';
import { connectionOf } from '@tagplane/protocol';
import type { IdentityService } from '@tagplane/protocol';
import type { Authority } from '../ca/authority.ts';
import { trustMessage } from './issued-message.ts';

type GetTrust = ServiceImpl<typeof IdentityService>['getTrust'];

/** What to trust; remembers what the caller trusts now. */
export function getTrust(authority: Pick<Authority, 'trust' | 'pins'>): GetTrust {
  return ({ heldGeneration }, context) => {
    const connection = connectionOf(context);
    if (connection !== undefined) connection.trustGeneration = Number(heldGeneration);
    const issuer = connection?.identity?.issuer;
    const renew = issuer !== undefined && issuer !== authority.pins()[0];
    return { trust: trustMessage(authority.trust()), renew };
  };
}
