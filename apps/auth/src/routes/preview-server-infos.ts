import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  NodeLabelChangeSchema,
  PreviewServerInfosResponseSchema,
  PreviewTotalsSchema,
  draftFromMessage,
  labelsToMessage,
} from '@tagplane/protocol';
import type {
  ExplainService,
  NodeLabelChange,
  PreviewServerInfosResponse,
  ServerInfo,
} from '@tagplane/protocol';
import { draftProblem } from '@tagplane/serverinfo';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { takesAway } from '../preview/node-change.ts';
import { propose } from '../preview/proposal.ts';
import { survey } from '../preview/survey.ts';
import type { Surveyed } from '../preview/survey.ts';
import { joinSelectors } from '../reconcile/assigned-writes.ts';
import { callerOf } from './caller.ts';
import { OPERATORS_SCOPE, whenLoaded } from './operator-leave.ts';
import type { AssignedContext } from './route-context.ts';

type Preview = ServiceImpl<typeof ExplainService>['previewServerInfos'];

/** What a write or a removal would change, node by node; nothing is written, and nothing is held. */
export function previewServerInfos(routes: AssignedContext): Preview {
  return async function* (request, context) {
    const { stores, assigned, guard } = routes;
    const { signal } = context;
    const { actor: requestedBy } = callerOf(context);
    await whenLoaded(routes, signal);
    const now = Date.now();
    const drafts = readDrafts(request.serverInfos, routes);
    const proposal = propose({ drafts, removed: request.deleteNames }, assigned.index.set, now);
    const totals = { nodes: 0, changed: 0, lossy: 0 };
    for await (const surveyed of survey({ stores, proposal, exact: true, now }, signal)) {
      totals.nodes += 1;
      const { change } = surveyed;
      if (change === undefined) continue;
      totals.changed += 1;
      if (takesAway(change) && !guard.recent.has(surveyed.name)) totals.lossy += 1;
      yield changeEvent(surveyed.name, surveyed.hostname, change);
    }
    const nodesTotal = Math.max(totals.nodes, await stores.nodes.count('', { signal }));
    const weighed = {
      scope: OPERATORS_SCOPE,
      fingerprint: '',
      nodesChanged: totals.lossy,
      nodesTotal,
      samples: [],
      requestedBy,
      description: '',
      follows: false,
    };
    const wouldHold = await guard.wouldHold(weighed, OPERATORS_SCOPE, signal);
    const value = create(PreviewTotalsSchema, { nodes: totals.nodes, changed: totals.changed, wouldHold });
    yield create(PreviewServerInfosResponseSchema, { event: { case: 'totals', value } });
  };
}

/** @throws ConnectError INVALID_ARGUMENT for the first one that would be refused */
function readDrafts(messages: readonly ServerInfo[], { assigned }: AssignedContext): ServerInfoDraft[] {
  const others = assigned.writes.dependencies();
  return messages.map((message) => {
    const draft = draftFromMessage(message);
    if (draft === undefined) throw refused(message.name, 'no match, or a malformed one');
    const problem = draftProblem(draft, 'operator')?.reason ?? joinSelectors(others, draft);
    if (problem !== undefined) throw refused(message.name, problem);
    return draft;
  });
}

function refused(name: string, problem: string): ConnectError {
  return new ConnectError(`${JSON.stringify(name)}: ${problem}`, Code.InvalidArgument);
}

function changeEvent(
  serverId: string,
  hostname: string,
  { gained, lost, changed }: NonNullable<Surveyed['change']>,
): PreviewServerInfosResponse {
  const value: NodeLabelChange = create(NodeLabelChangeSchema, {
    serverId,
    hostname,
    gained: labelsToMessage(gained),
    lost: labelsToMessage(lost),
    changed: labelsToMessage(changed),
  });
  return create(PreviewServerInfosResponseSchema, { event: { case: 'change', value } });
}
