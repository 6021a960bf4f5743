import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import type { DiscoveryService } from '@tagplane/protocol';
import type { Entry } from '@tagplane/store';
import { SCOPE_PREFIX, decodeScope, scopeReport } from '../discovery/scope-reports.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { readPage } from './page.ts';

type ListScopes = ServiceImpl<typeof DiscoveryService>['listScopes'];

export function listScopes({ stores }: DiscoveryContext): ListScopes {
  return async ({ pageSize, pageToken }, { signal }) => {
    const request = { pageSize, pageToken, prefix: SCOPE_PREFIX };
    const page = await readPage(stores.discovery, request, reported, signal);
    return { scopes: page.items, nextPageToken: page.nextPageToken };
  };
}

function reported(entry: Entry) {
  const scope = decodeScope(entry);
  if (scope === undefined) return undefined;
  const { group, reportedAt } = scope;
  return { group, report: scopeReport(scope), reportedAt: timestampFromMs(reportedAt) };
}
