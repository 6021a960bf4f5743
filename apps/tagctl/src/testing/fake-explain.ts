import { create } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  ExplainNodeResponseSchema,
  ExplainService,
  NodeLabelChangeSchema,
  PreviewServerInfosResponseSchema,
} from '@tagplane/protocol';
import type {
  ExplainNodeRequest,
  ExplainNodeResponse,
  NodeLabelChange,
  PreviewServerInfosRequest,
} from '@tagplane/protocol';

/** Explanations and previews of a FakeAuth, as a test sets them. */
export class FakeExplain {
  /** By server id, or by ACCOUNT/REGION/ID. */
  readonly explanations = new Map<string, ExplainNodeResponse>();
  /** What every preview says. */
  changes: NodeLabelChange[] = [];
  nodes = 0;
  wouldHold = false;
  readonly previews: PreviewServerInfosRequest[] = [];

  routes(router: ConnectRouter, note: (context: HandlerContext) => void): void {
    router.service(ExplainService, {
      explainNode: ({ subject }, context) => {
        note(context);
        const found = this.explanations.get(subjectText(subject));
        if (found === undefined) throw new ConnectError('no such node', Code.NotFound);
        return found;
      },
      previewServerInfos: (request, context) => {
        note(context);
        this.previews.push(request);
        return this.#preview();
      },
    });
  }

  // eslint's require-await would have an async generator await something.
  async *#preview() {
    for (const value of this.changes) {
      yield await Promise.resolve(
        create(PreviewServerInfosResponseSchema, { event: { case: 'change', value } }),
      );
    }
    yield create(PreviewServerInfosResponseSchema, {
      event: {
        case: 'totals',
        value: { nodes: this.nodes, changed: this.changes.length, wouldHold: this.wouldHold },
      },
    });
  }
}

export function sampleChange(
  serverId: string,
  change: {
    gained?: Record<string, string>;
    lost?: Record<string, string>;
    changed?: Record<string, string>;
  },
): NodeLabelChange {
  return create(NodeLabelChangeSchema, { serverId, hostname: `host-${serverId}`, ...change });
}

export function sampleExplanation(
  init: Parameters<typeof create<typeof ExplainNodeResponseSchema>>[1],
): ExplainNodeResponse {
  return create(ExplainNodeResponseSchema, init);
}

function subjectText(subject: ExplainNodeRequest['subject']): string {
  switch (subject.case) {
    case 'serverId':
      return subject.value;
    case 'awsInstance':
      return `${subject.value.accountId}/${subject.value.region}/${subject.value.instanceId}`;
    case undefined:
      return '';
  }
}
