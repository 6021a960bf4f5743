import type { ServiceImpl } from '@connectrpc/connect';
import type { CaService } from '@tagplane/protocol';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import { caStatusMessage } from './ca-status-message.ts';

type GetCaStatus = ServiceImpl<typeof CaService>['getCaStatus'];

export function getCaStatus(authority: Pick<ClusterAuthority, 'status'>): GetCaStatus {
  return async (_request, { signal }) => caStatusMessage(await authority.status(signal));
}
