import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { parseAccountId, parseRegion } from '@tagplane/identity';
import { EnrolmentRecordSchema, EnrolmentState, instanceToMessage, peerOf } from '@tagplane/protocol';
import type {
  DiscoveredInstanceSchema,
  DiscoveryService,
  EnrolmentRecord,
  ListInstancesRequest,
} from '@tagplane/protocol';
import { DISCOVERED_NAME_PREFIX } from '@tagplane/serverinfo';
import { listInstances as readInstances } from '../discovery/instance-list.ts';
import type { ListedInstance } from '../discovery/instance-list.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { pageToken, parsePageToken } from './page.ts';

type ListInstances = ServiceImpl<typeof DiscoveryService>['listInstances'];

const DEFAULT_PAGE_SIZE = 100;
const READ_SIZE = 250;
/** Instances that one call looks at; with filters a page may come back short, or empty, with a next token. */
const MAX_EXAMINED = 2_000;

/** For operators; a discovery, which sees no nodes, is not told which node it is. */
export function listInstances({ stores, agents }: DiscoveryContext): ListInstances {
  return async (request, context) => {
    const { signal } = context;
    const withNodes = peerOf(context).role === 'operator';
    const wanted = filterOf(request);
    const size = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
    const snapshot = await agents.snapshot(signal);
    const instances: MessageInitShape<typeof DiscoveredInstanceSchema>[] = [];
    let after = parsePageToken(request.pageToken);
    for (let examined = 0; examined < MAX_EXAMINED;) {
      const range = { prefix: wanted.prefix, after, limit: READ_SIZE };
      const page = await readInstances(stores, snapshot, range, signal);
      for (const { name, item } of page.items) {
        if (instances.length === size) return { instances, nextPageToken: pageToken(after) };
        after = name;
        examined += 1;
        const enrolment = enrolmentOf(item);
        if (!wanted.takes(item, enrolment)) continue;
        const serverIds = withNodes ? [...item.serverIds] : [];
        instances.push({ enrolment, serverIds, origin: item.origin });
      }
      if (page.next === undefined) return { instances, nextPageToken: '' };
      after = page.next;
    }
    return { instances, nextPageToken: pageToken(after) };
  };
}

interface Filter {
  readonly prefix: string;
  readonly takes: (item: ListedInstance, enrolment: EnrolmentRecord) => boolean;
}

function filterOf({ accountId, region, states }: ListInstancesRequest): Filter {
  if (accountId !== '' && parseAccountId(accountId) === undefined)
    throw invalid('account_id: not twelve digits');
  if (region !== '' && parseRegion(region) === undefined) throw invalid('region: not one');
  const ofRegion = accountId !== '' && region !== '' ? `${region}-` : '';
  return {
    prefix: DISCOVERED_NAME_PREFIX + (accountId === '' ? '' : `${accountId}-${ofRegion}`),
    takes: ({ instance }, { state }) =>
      (region === '' || instance.region === region) && (states.length === 0 || states.includes(state)),
  };
}

/** A node that speaks for it is a better witness than what was said before it came. */
function enrolmentOf({ instance, enrolment, serverIds }: ListedInstance): EnrolmentRecord {
  const said = enrolment?.record;
  const enrolled = serverIds.length > 0;
  return {
    ...(said ?? create(EnrolmentRecordSchema)),
    instance: instanceToMessage(instance),
    state: enrolled ? EnrolmentState.ENROLLED : (said?.state ?? EnrolmentState.UNSPECIFIED),
    reason: enrolled && said?.state !== EnrolmentState.ENROLLED ? '' : (said?.reason ?? ''),
  };
}

function invalid(reason: string): ConnectError {
  return new ConnectError(reason, Code.InvalidArgument);
}
