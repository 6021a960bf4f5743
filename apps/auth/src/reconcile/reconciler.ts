import type { Labels } from '@tagplane/labels';
import { SECOND, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { discoveredName, serverInfoKey } from '@tagplane/serverinfo';
import type { StoredEntry } from '@tagplane/serverinfo';
import { selectableLabels } from '@tagplane/session';
import { StoreUnavailableError } from '@tagplane/store';
import type { Found, Store } from '@tagplane/store';
import type { AgentSession } from '../control/agent-session.ts';
import type { ControlMetrics, Trigger } from '../control/metrics.ts';
import { decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import type { AssignedIndex } from './assigned-index.ts';
import { findingOf, liveFinding } from './finding.ts';
import { ReconcileQueue } from './reconcile-queue.ts';

export interface ReconcilerOptions {
  readonly serverInfos: Store;
  readonly nodes: Store;
  readonly assigned: AssignedIndex;
  readonly metrics: ControlMetrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** One lookup for so many nodes. */
const BATCH = 200;
/** Lookups under way at once: while they are, others gather, so that the next ones are fuller. */
const CONCURRENCY = 2;
const STORE_RETRY = { baseMs: 200, maxMs: 5 * SECOND };
/** A node that cannot be looked at is tried again within 1 s, then less and less often. */
const NODE_RETRY = { baseMs: SECOND, maxMs: 300 * SECOND };

/**
 * Brings nodes to what they should have: looks up the ServerInfos of those that were asked for, in
 * batches, and tells their sessions. Asking again while a node waits changes nothing; while it is being
 * looked at, it is looked at once more.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #queue = new ReconcileQueue<AgentSession>();
  readonly #failures = new Map<AgentSession, { attempt: number; retryAt: number }>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    options.metrics.reconcileQueue(() => this.#queue.size);
  }

  request(session: AgentSession, trigger: Trigger): void {
    this.#options.metrics.reconcile(trigger);
    this.#queue.add(session);
  }

  /** Decides by what is known of the node already, without asking the store; as `request` if that is not enough. */
  reconsider(session: AgentSession, trigger: Trigger): void {
    const known = session.known();
    if (known === undefined) {
      this.request(session, trigger);
      return;
    }
    this.#options.metrics.reconcile(trigger);
    this.#attempt(session, () => {
      if (this.#decide(session, known.instanceKey, known) === 'needs-record') this.#queue.add(session);
    });
  }

  /** The labels that selectors see of the node; undefined: a lookup must tell. */
  selectable(session: AgentSession): Labels | undefined {
    const known = session.known();
    if (known === undefined) return undefined;
    const { serverId } = session;
    const { instanceKey, aws } = known;
    return selectableLabels(
      this.#options.assigned.set.forNode({ serverId, instanceKey }, this.#options.now()),
      aws,
    );
  }

  /** Takes over a ServerInfo that was just read from the store anyway. Never throws. */
  apply(session: AgentSession, entry: StoredEntry, trigger: Trigger): boolean {
    this.#options.metrics.reconcile(trigger);
    return this.#attempt(session, () => {
      this.#decide(session, entry.key, liveFinding(entry));
    });
  }

  forget(session: AgentSession): void {
    this.#queue.delete(session);
    this.#failures.delete(session);
  }

  /** Asks again for the nodes whose turn has come after a failure. */
  tick(): void {
    const now = this.#options.now();
    for (const [session, { retryAt }] of this.#failures) {
      if (retryAt > now) continue;
      this.#failures.set(session, { attempt: this.#failures.get(session)?.attempt ?? 0, retryAt: Infinity });
      this.request(session, 'retry');
    }
  }

  /** Looks nodes up until the signal aborts. Begin when the assigned ServerInfos are loaded. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: CONCURRENCY }, () => this.#work(signal)));
  }

  async #work(signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (;;) {
      const batch = await this.#queue.take(BATCH, signal);
      try {
        await this.#reconcile(batch, signal);
        failures = 0;
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        this.#options.metrics.lookupFailures.inc();
        if (!(error instanceof StoreUnavailableError)) {
          this.#options.log.error({ event: 'reconcile_failed', err: error });
        }
        await sleep(fullJitter(failures, STORE_RETRY), signal);
        failures += 1;
        for (const session of batch) if (!session.ended) this.#queue.add(session);
      } finally {
        this.#queue.done(batch);
      }
    }
  }

  async #reconcile(batch: readonly AgentSession[], signal: AbortSignal): Promise<void> {
    const found = await this.#lookUp(batch, signal);
    const unknown: AgentSession[] = [];
    for (const session of batch) {
      this.#attempt(session, () => {
        const { instanceKey } = session;
        const item = instanceKey === undefined ? undefined : found.get(instanceKey);
        // Its instance changed during the lookup: that asked for another one.
        if (instanceKey !== undefined && item === undefined) return;
        if (this.#decide(session, instanceKey, findingOf(item)) === 'needs-record') unknown.push(session);
      });
    }
    if (unknown.length > 0) await this.#decideByRecord(unknown, signal);
  }

  async #lookUp(batch: readonly AgentSession[], signal: AbortSignal): Promise<Map<string, Found>> {
    const keys = [...new Set(batch.flatMap((session) => session.instanceKey ?? []))];
    if (keys.length === 0) return new Map();
    const found = await this.#options.serverInfos.getMany(keys, { signal });
    return new Map(found.map((item) => [item.key, item]));
  }

  #decide(
    session: AgentSession,
    instanceKey: string | undefined,
    finding: ReturnType<typeof findingOf>,
  ): 'done' | 'needs-record' {
    const { assigned: index, now } = this.#options;
    const assigned = index.set.forNode({ serverId: session.serverId, instanceKey }, now());
    const { discovered, revision } = finding;
    return session.decide({ instanceKey, assigned, discovered, revision });
  }

  /** For nodes that the store has lost: what they hold is in their own records, if anywhere. */
  async #decideByRecord(sessions: readonly AgentSession[], signal: AbortSignal): Promise<void> {
    const keys = sessions.map((session) => session.serverId);
    const found = await this.#options.nodes.getMany(keys, { signal });
    for (const [index, session] of sessions.entries()) {
      this.#attempt(session, () => {
        const item = found[index];
        const record = item?.state === 'live' ? this.#decodeRecord(item) : undefined;
        session.adopt(record, record?.instance && serverInfoKey(discoveredName(record.instance)));
        this.#decide(session, session.instanceKey, findingOf(undefined));
      });
    }
  }

  #decodeRecord(entry: { readonly key: string; readonly value: string }): NodeRecord | undefined {
    try {
      return decodeNodeRecord(entry);
    } catch (error) {
      this.#options.log.warn({ event: 'node_record_unreadable', server_id: entry.key, err: error });
      return undefined;
    }
  }

  /** What goes wrong with one node is counted and tried again; it stops nothing else. */
  #attempt(session: AgentSession, act: () => void): boolean {
    try {
      act();
      this.#failures.delete(session);
      return true;
    } catch (error) {
      const attempt = (this.#failures.get(session)?.attempt ?? -1) + 1;
      const retryAt = this.#options.now() + fullJitter(attempt, NODE_RETRY);
      if (!session.ended) this.#failures.set(session, { attempt, retryAt });
      this.#options.metrics.reconcileErrors.inc();
      this.#options.log.warn({ event: 'node_reconcile_failed', server_id: session.serverId, err: error });
      return false;
    }
  }
}
