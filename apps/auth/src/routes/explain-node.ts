import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { parseServerId } from '@tagplane/identity';
import {
  ExplainNodeResponseSchema,
  LabelSource,
  LabelState,
  instanceFromMessage,
  serverInfoToMessage,
} from '@tagplane/protocol';
import type { ExplainNodeRequest, ExplainService } from '@tagplane/protocol';
import type { ExplainFacts } from '../explain/facts.ts';
import { gather } from '../explain/gather.ts';
import type { Subject } from '../explain/gather.ts';
import { explainLabels } from '../explain/labels.ts';
import type { Explained, Origin } from '../explain/labels.ts';
import { problemsOf } from '../explain/problems.ts';
import { nodeMessageOf } from './node-message.ts';
import { whenLoaded } from './operator-leave.ts';
import type { AssignedContext } from './route-context.ts';

type Explain = ServiceImpl<typeof ExplainService>['explainNode'];

/** Why a node, or an instance without one, has the labels that it has, and not those that it has not. */
export function explainNode(routes: AssignedContext): Explain {
  return async (request, { signal }) => {
    const subject = parseSubject(request.subject);
    await whenLoaded(routes, signal);
    const { stores, assigned } = routes;
    const facts = await gather(subject, { stores, index: assigned.index, now: Date.now() }, signal);
    return responseOf(facts);
  };
}

function parseSubject(subject: ExplainNodeRequest['subject']): Subject {
  if (subject.case === 'serverId') {
    const serverId = parseServerId(subject.value);
    if (serverId !== undefined) return { kind: 'server-id', serverId };
  }
  if (subject.case === 'awsInstance') {
    const instance = instanceFromMessage(subject.value);
    if (instance !== undefined) return { kind: 'instance', instance };
  }
  throw new ConnectError('subject: a server id, or account, region and instance id', Code.InvalidArgument);
}

function responseOf(facts: ExplainFacts) {
  const { record, discovered, now } = facts;
  const { delivery } = record ?? {};
  return create(ExplainNodeResponseSchema, {
    ...(record === undefined ? {} : { node: nodeMessageOf(record, facts.recordRevision, now) }),
    ...(discovered === undefined ? {} : { discovered: serverInfoToMessage(discovered) }),
    assigned: facts.assigned.map(serverInfoToMessage),
    labels: explainLabels(facts).map(labelInit),
    ...(delivery === undefined
      ? {}
      : {
          delivery: {
            pushedBy: delivery.pushedBy,
            pushedAt: timestampFromMs(delivery.pushedAt),
            ackedAt: timestampFromMs(delivery.ackedAt),
          },
        }),
    problems: problemsOf(facts),
  });
}

const STATES = {
  held: LabelState.HELD,
  pending: LabelState.PENDING,
  stale: LabelState.STALE,
  rejected: LabelState.REJECTED,
} as const;
const SOURCES = {
  own: LabelSource.OWN,
  imported: LabelSource.IMPORTED,
  discovered: LabelSource.DISCOVERED,
  assigned: LabelSource.ASSIGNED,
} as const;

function labelInit({ key, value, state, origin, overruled, reason }: Explained) {
  return {
    key,
    value,
    state: STATES[state],
    origin: originInit(origin),
    overruled: overruled.map((word) => ({ ...word, origin: originInit(word.origin) })),
    reason,
  };
}

/** The store's revisions are microseconds of its clock. */
function originInit({ source, info, observedAt, expiresAt }: Origin) {
  return {
    source: SOURCES[source],
    ...(info === undefined
      ? {}
      : {
          serverInfo: info.name,
          writtenBy: info.origin,
          storedAt: timestampFromMs(Math.floor(info.revision / 1_000)),
        }),
    ...(observedAt === undefined ? {} : { observedAt: timestampFromMs(observedAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: timestampFromMs(expiresAt) }),
  };
}
