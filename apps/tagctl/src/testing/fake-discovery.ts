import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import {
  DiscoveredInstanceSchema,
  DiscoveryGroupSchema,
  DiscoveryService,
  ReportedScopeSchema,
  ScopeState,
} from '@tagplane/protocol';
import type {
  DiscoveredInstance,
  DiscoveryGroup,
  EnrolmentState,
  ListInstancesRequest,
  ReportedScope,
} from '@tagplane/protocol';
import { NOW } from './capture.ts';

/** The discoveries that a FakeAuth knows of. */
export class FakeDiscovery {
  groups: DiscoveryGroup[] = [];
  scopes: ReportedScope[] = [];
  instances: DiscoveredInstance[] = [];
  readonly instanceRequests: ListInstancesRequest[] = [];
  /** Pages are cut to this many. */
  largestPage = 1_000;

  routes(router: ConnectRouter, note: (context: HandlerContext) => void): void {
    router.service(DiscoveryService, {
      listGroups: (_request, context) => {
        note(context);
        return { groups: this.groups };
      },
      listScopes: (request, context) => {
        note(context);
        const { items, nextPageToken } = this.#page(this.scopes, request);
        return { scopes: items, nextPageToken };
      },
      listInstances: (request, context) => {
        note(context);
        this.instanceRequests.push(request);
        const { items, nextPageToken } = this.#page(this.instances, request);
        return { instances: items, nextPageToken };
      },
    });
  }

  #page<Item>(all: Item[], request: { pageSize: number; pageToken: string }) {
    const from = Number(request.pageToken || '0');
    const to = from + Math.min(request.pageSize || 100, this.largestPage);
    return { items: all.slice(from, to), nextPageToken: to < all.length ? String(to) : '' };
  }
}

/** The first of the replicas leads. */
export function sampleGroup(name: string, ...replicas: readonly string[]): DiscoveryGroup {
  return create(DiscoveryGroupSchema, {
    name,
    token: replicas.length === 0 ? 0n : 7n,
    replicas: replicas.map((replica, index) => ({
      replica,
      identity: `discovery/${replica}`,
      leader: index === 0,
      seenAt: timestampFromMs(NOW - 2_000),
      version: '0.1.0',
    })),
  });
}

export function sampleScope(region: string, problem = ''): ReportedScope {
  return create(ReportedScopeSchema, {
    group: 'main',
    reportedAt: timestampFromMs(NOW - 5_000),
    report: {
      id: `123456789012/${region}`,
      accountId: '123456789012',
      region,
      state: problem === '' ? ScopeState.OK : ScopeState.FAILING,
      problem,
      instances: 40,
      rejectedTags: 3,
      rejectedInstances: 1,
      lastCompleteAt: timestampFromMs(NOW - 60_000),
      requests: 12n,
      throttles: 2n,
      quotaUsed: 0.126,
      behind: durationFromMs(1_500),
    },
  });
}

export function sampleInstance(instanceId: string, state: EnrolmentState, reason = ''): DiscoveredInstance {
  return create(DiscoveredInstanceSchema, {
    enrolment: {
      instance: { accountId: '123456789012', region: 'eu-central-1', instanceId },
      state,
      reason,
      attempts: 2,
      commandId: 'c-1',
      nextAttemptAt: timestampFromMs(NOW + 120_000),
      recordedAt: timestampFromMs(NOW - 60_000),
    },
    origin: 'discovery/main',
  });
}
