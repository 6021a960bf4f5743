import { Code, ConnectError, createRouterTransport } from '@connectrpc/connect';
import type { ConnectRouter, Transport } from '@connectrpc/connect';
import {
  DiscoveryService,
  GuardService,
  GuardVerdict,
  ServerInfoService,
  StatusService,
  UpsertStatus,
  draftFromMessage,
  serverInfoToMessage,
} from '@tagplane/protocol';
import type { Fence, ReportScopesRequest, RequestChangeRequest } from '@tagplane/protocol';
import type { ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';
import { draftProblem } from '@tagplane/serverinfo';
import { FakeLeases } from './fake-leases.ts';

/** One request that changed something, or tried to. */
export interface Call {
  /** Unix milliseconds of its start. */
  readonly at: number;
  readonly action: 'upsert' | 'delete';
  readonly names: readonly string[];
}

/** An auth service of one process, in memory, that can be told to misbehave. */
export class FakeAuth {
  readonly origin = 'discovery/test';
  readonly calls: Call[] = [];
  readonly stored = new Map<string, ServerInfo>();
  epoch = 'epoch-1';
  /** While set, every call fails with it. */
  outage: Code | undefined;
  /** While set, answers are lost after the work was done. */
  loseAnswers = false;
  /** How long an answer takes. */
  delayMs = 0;
  /** Calls that are being answered. */
  open = 0;
  /** Refuses items by name. */
  refuse: (draft: ServerInfoDraft) => UpsertStatus | undefined = () => undefined;
  /** Losses that leave was asked for. */
  readonly asked: RequestChangeRequest[] = [];
  /** What it says of each. */
  judge: (request: RequestChangeRequest) => GuardVerdict = () => GuardVerdict.GO;
  /** As an auth service that knows no guard. */
  guardless = false;
  /** Who holds which group's lease. */
  readonly leases = new FakeLeases();
  /** As an auth service that knows no leases. */
  leaseless = false;
  /** What was said of scopes. */
  readonly reports: ReportScopesRequest[] = [];
  /** Fails deletions for good. */
  refuseDeletes = false;
  #revision = 0;

  get transport(): Transport {
    return createRouterTransport(({ service }) => {
      service(ServerInfoService, {
        upsertServerInfos: ({ serverInfos, fence }) =>
          this.#answer(() => {
            this.leases.check(fence);
            const drafts = serverInfos.map((message) => draftFromMessage(message) ?? malformed());
            this.#record(
              'upsert',
              drafts.map((draft) => draft.name),
            );
            return { results: drafts.map((draft) => this.#upsert(draft, fence)), storeEpoch: this.epoch };
          }),
        listServerInfos: ({ pageSize, pageToken, origin }) =>
          this.#answer(() => this.#list(pageSize, pageToken, origin)),
        deleteServerInfos: ({ names, fence }) =>
          this.#answer(() => {
            this.leases.check(fence);
            this.#record('delete', names);
            if (this.refuseDeletes) throw new ConnectError('not yours', Code.PermissionDenied);
            return { deleted: names.filter((name) => this.stored.delete(name)) };
          }),
      });
      if (!this.guardless) {
        service(GuardService, {
          requestChange: (request) =>
            this.#answer(() => {
              this.leases.check(request.fence);
              this.asked.push(request);
              const verdict = this.judge(request);
              return { verdict, holdId: verdict === GuardVerdict.GO ? '' : `hold of ${request.scope}` };
            }),
        });
      }
      if (!this.leaseless) this.#serveLeases(service);
      service(StatusService, { getStatus: () => this.#answer(() => ({ storeEpoch: this.epoch })) });
    });
  }

  #serveLeases(service: ConnectRouter['service']): void {
    service(DiscoveryService, {
      holdLease: (request) => this.#answer(() => this.leases.hold(request)),
      releaseLease: ({ fence }) =>
        this.#answer(() => {
          this.leases.release(fence);
          return {};
        }),
      reportScopes: (request) =>
        this.#answer(() => {
          this.leases.check(request.fence);
          this.reports.push(request);
          return {};
        }),
    });
  }

  /** Upserts of one name, by time. */
  upsertsOf(name: string): number[] {
    return this.calls
      .filter((call) => call.action === 'upsert' && call.names.includes(name))
      .map(({ at }) => at);
  }

  /** Items upserted since a time. */
  sentSince(at: number): string[] {
    return this.calls
      .filter((call) => call.action === 'upsert' && call.at >= at)
      .flatMap((call) => call.names);
  }

  empty(): void {
    this.stored.clear();
    this.epoch = `epoch-${Number(this.epoch.slice('epoch-'.length)) + 1}`;
  }

  async #answer<Answer>(work: () => Answer): Promise<Answer> {
    this.open += 1;
    try {
      if (this.outage !== undefined) throw new ConnectError('out of order', this.outage);
      const answer = work();
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      if (this.loseAnswers) throw new ConnectError('connection lost', Code.Unavailable);
      return answer;
    } finally {
      this.open -= 1;
    }
  }

  #record(action: Call['action'], names: readonly string[]): void {
    this.calls.push({ at: Date.now(), action, names });
  }

  #upsert(draft: ServerInfoDraft, fence: Fence | undefined) {
    const problem = draftProblem(draft, 'discovery');
    if (problem !== undefined) throw new Error(`a draft that no auth service takes: ${problem.reason}`);
    const status = this.refuse(draft);
    if (status !== undefined) return { status, reason: 'the fake was told to' };
    const origin = fence === undefined ? this.origin : `discovery/${fence.group}`;
    const there = this.stored.get(draft.name);
    if (there !== undefined && there.origin !== origin && (there.expiresAt ?? 0) > Date.now()) {
      return { status: UpsertStatus.DENIED, reason: `belongs to ${there.origin}` };
    }
    this.#revision += 1;
    const { ttlMs = 0, ...rest } = draft;
    const revision = this.#revision;
    this.stored.set(draft.name, { ...rest, expiresAt: Date.now() + ttlMs, revision, origin });
    return { status: UpsertStatus.ACCEPTED, revision: BigInt(revision) };
  }

  #list(pageSize: number, after: string, origin: string) {
    const live = [...this.stored.values()]
      .filter((info) => info.name > after && info.origin === origin && (info.expiresAt ?? 0) > Date.now())
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const page = live.slice(0, pageSize);
    return {
      serverInfos: page.map(serverInfoToMessage),
      nextPageToken: live.length > page.length ? (page.at(-1)?.name ?? '') : '',
      storeEpoch: this.epoch,
    };
  }
}

function malformed(): never {
  throw new Error('a malformed match');
}
