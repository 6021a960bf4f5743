import { MINUTE, SECOND, VERSION, runTasks, sleep } from '@tagplane/runtime';
import type { Logger, Registry } from '@tagplane/runtime';
import { DEFAULT_AUTH_SESSION_SETTINGS } from '@tagplane/session';
import type { AuthSessionSettings } from '@tagplane/session';
import type { Store } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import { followNodes } from '../nodes/node-feed.ts';
import { NodeWriter } from '../nodes/node-writer.ts';
import type { RoleSource } from '../roles/create-roles.ts';
import { RolePush } from '../roles/role-push.ts';
import { AssignedIndex } from '../reconcile/assigned-index.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import { followServerInfos } from '../reconcile/server-info-feed.ts';
import { Sweep } from '../reconcile/sweep.ts';
import { Admission } from './admission.ts';
import type { AgentCaller } from './agent-peer.ts';
import { AgentSession } from './agent-session.ts';
import type { AgentChannel } from './channel.ts';
import { helloMessage } from './messages.ts';
import { createControlMetrics } from './metrics.ts';
import { SessionRegistry } from './registry.ts';
import type { SessionHost } from './session-host.ts';
import type { Statements } from './statements.ts';
import { createGate } from './wakeup.ts';

export interface ControlPlaneOptions {
  /** Name of this auth process. */
  readonly authId: string;
  readonly serverInfos: Store;
  readonly nodes: Store;
  readonly registry: Registry;
  readonly log: Logger;
  /** Default 5 min. */
  readonly heartbeatMs?: number;
  /** A stream that is silent for longer, either way, is dead. Default 90 s. */
  readonly idleTimeoutMs?: number;
  /** Hellos a second; default 500. */
  readonly admissionRate?: number;
  /** Hellos that may wait; default: as many as are let in within 20 s. */
  readonly admissionQueue?: number;
  /** Default: events go nowhere. */
  readonly audit?: Audit;
  /** Generation of the trust bundle there is now; 0, the default: there is none. */
  readonly trustGeneration?: () => number;
  /** What agents decide by; default: nothing is known of it, and nothing is sent. */
  readonly roles?: RoleSource;
  /** Signs what agents keep; without, as without TLS, nothing is signed. */
  readonly statements?: Statements | undefined;
  /** Unix milliseconds; default Date.now. */
  readonly now?: () => number;
}

/** Agents' streams, and everything that decides what goes down them. */
export interface ControlPlane {
  readonly connectedAgents: number;
  /** Why it cannot say what nodes should have; undefined when it can. */
  readonly problem: string | undefined;
  /** The ServerInfos of operators, as this process knows them. */
  readonly assigned: AssignedIndex;
  /** A stream was opened by this agent; feed its messages to the session. */
  connect(channel: AgentChannel, caller: AgentCaller): AgentSession;
  /**
   * Tells every agent that holds an older trust bundle of this one, and those that come with an older one
   * later; they renew their certificates at times spread over `withinMs`.
   */
  announceTrust(generation: number, withinMs: number): void;
  /** Runs until the signal aborts, or a part of it fails for good. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Sends every agent away, to come back (elsewhere) within 10 s, takes no more, and writes what is
   * known of the nodes. To be called after `run` has ended or while it runs; returns within `graceMs`.
   */
  drain(graceMs: number): Promise<void>;
}

/** Timeouts are many seconds: one late does not matter, and one timer serves all streams. */
const TICK_MS = SECOND;
const DEFAULT_HEARTBEAT_MS = 5 * MINUTE;
const DEFAULT_IDLE_TIMEOUT_MS = 90 * SECOND;
/** As agents spread themselves after a lost connection: 10,000 over 10 s are 1,000 a second. */
const DRAIN_SPREAD_MS = 10 * SECOND;
/** A full queue takes 20 s. */
const REFUSED_RETRY_MS = 20 * SECOND;
const DRAIN_POLL_MS = 20;
/** 10,000 agents that come back with an older bundle renew 167 certificates a second. */
const DEFAULT_TRUST_SPREAD_MS = MINUTE;
const NO_AUDIT: Audit = { record: () => undefined };
const NO_ROLES: RoleSource = {
  current: undefined,
  get: () => undefined,
  onChange: () => ({ [Symbol.dispose]: () => undefined }),
};

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  return new Plane(options);
}

class Plane implements ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #now: () => number;
  readonly #metrics;
  readonly #sessions = new SessionRegistry();
  readonly #admission: Admission;
  readonly #assigned: AssignedIndex;
  readonly #writer: NodeWriter;
  readonly #reconciler: Reconciler;
  readonly #sweep: Sweep;
  readonly #host: SessionHost;
  readonly #loaded = createGate();
  readonly #roles: RoleSource;
  readonly #rolePush: RolePush;
  #draining = false;
  #trust = { generation: 0, withinMs: DEFAULT_TRUST_SPREAD_MS };

  constructor(options: ControlPlaneOptions) {
    const { serverInfos, nodes, log, now = () => Date.now() } = options;
    this.#options = options;
    this.#now = now;
    const metrics = createControlMetrics(options.registry);
    this.#metrics = metrics;
    this.#admission = new Admission({
      now,
      ...(options.admissionRate === undefined ? {} : { ratePerSecond: options.admissionRate }),
      ...(options.admissionQueue === undefined ? {} : { queueLength: options.admissionQueue }),
    });
    const assigned = new AssignedIndex({ store: serverInfos, log });
    this.#assigned = assigned;
    const { heartbeatMs = DEFAULT_HEARTBEAT_MS } = options;
    this.#writer = new NodeWriter({ store: nodes, heartbeatMs, metrics, log });
    this.#reconciler = new Reconciler({ serverInfos, nodes, assigned, metrics, log, now });
    this.#sweep = new Sweep({ store: serverInfos, apply: (entry) => this.#apply(entry), metrics, log, now });
    this.#roles = options.roles ?? NO_ROLES;
    this.#rolePush = new RolePush({ roles: this.#roles });
    this.#host = this.#createHost();
    metrics.rolePushQueue(() => this.#rolePush.length);
    metrics.rolesBehind(() => this.#behindOnRoles());
    metrics.connectedAgents(() => this.#sessions.size);
    metrics.openStreams(() => this.#sessions.open.size);
    metrics.admissionQueue(() => this.#admission.length);
    metrics.assigned(() => assigned.set.size);
    metrics.selectors(() => assigned.set.selectorCount);
    metrics.overfull(() => this.#overfull());
  }

  get connectedAgents(): number {
    return this.#sessions.size;
  }

  get assigned(): AssignedIndex {
    return this.#assigned;
  }

  get problem(): string | undefined {
    if (this.#draining) return 'the process is stopping';
    return this.#assigned.loaded ? this.#sweep.problem : 'the ServerInfos of operators are not loaded yet';
  }

  connect(channel: AgentChannel, caller: AgentCaller): AgentSession {
    const session = new AgentSession(this.#host, channel, caller);
    this.#sessions.add(session);
    if (this.#draining) {
      this.#metrics.hello('draining');
      session.close('drain', 'this auth process is stopping', Math.random() * DRAIN_SPREAD_MS);
    }
    return session;
  }

  announceTrust(generation: number, withinMs: number): void {
    this.#trust = { generation: Math.max(generation, this.#trust.generation), withinMs };
    for (const session of this.#sessions.registered()) session.announceTrust();
  }

  async run(signal: AbortSignal): Promise<void> {
    await runTasks(signal, {
      admission: (stop) => this.#admission.run(stop),
      ticker: (stop) => this.#tick(stop),
      writer: (stop) => this.#writer.run(stop),
      reconciler: async (stop) => {
        await this.#loaded.passed(stop);
        await this.#reconciler.run(stop);
      },
      sweep: (stop) => this.#sweep.run(stop),
      roles: (stop) => this.#pushRoles(stop),
      serverInfoFeed: (stop) => this.#followServerInfos(stop),
      nodeFeed: (stop) => this.#followNodes(stop),
    });
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    const deadline = this.#now() + graceMs;
    // The last fifth is for the nodes' records.
    const streamsUntil = deadline - graceMs / 5;
    for (const session of this.#sessions.open) {
      session.close('drain', 'this auth process is stopping', Math.random() * DRAIN_SPREAD_MS);
    }
    const never = new AbortController().signal;
    while (this.#sessions.open.size > 0 && this.#now() < streamsUntil) await sleep(DRAIN_POLL_MS, never);
    for (const session of [...this.#sessions.open]) session.tick();
    await this.#writer
      .flush(AbortSignal.timeout(Math.max(1, deadline - this.#now())))
      .catch((error: unknown) => {
        this.#options.log.warn({ event: 'drain_incomplete', err: error });
      });
  }

  #createHost(): SessionHost {
    const { authId, log, audit = NO_AUDIT, heartbeatMs = DEFAULT_HEARTBEAT_MS } = this.#options;
    const idleTimeoutMs = this.#options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    return {
      authId,
      log,
      audit,
      rolePush: this.#rolePush,
      statements: this.#options.statements,
      metrics: this.#metrics,
      settings: settingsFor(idleTimeoutMs),
      hello: helloMessage({ authId, version: VERSION, times: { heartbeatMs, idleTimeoutMs } }),
      now: this.#now,
      trust: () => {
        const { generation, withinMs } = this.#trust;
        return { generation: Math.max(generation, this.#options.trustGeneration?.() ?? 0), withinMs };
      },
      admit: (session) => {
        this.#admit(session);
      },
      register: (session) => {
        this.#metrics.hello('admitted');
        const { sessionId, remoteAddress } = session;
        this.#sessions.register(session)?.superseded({ authId, sessionId, remoteAddress });
      },
      rekey: (session, before) => {
        this.#sessions.rekey(session, before);
      },
      reconcile: (session, trigger) => {
        this.#reconciler.request(session, trigger);
      },
      writeRecord: (source) => {
        this.#writer.mark(source);
      },
      release: (session) => {
        this.#sessions.remove(session);
        this.#reconciler.forget(session);
      },
    };
  }

  #admit(session: AgentSession): void {
    if (this.#admission.request(session)) return;
    this.#metrics.hello('queue_full');
    const retry = REFUSED_RETRY_MS * (0.5 + Math.random());
    session.close('refused', 'too many agents are connecting at once', retry);
  }

  #apply(entry: Parameters<Reconciler['apply']>[1]): boolean {
    // Nothing can be said of a node's labels before the operators' share is known.
    if (!this.#assigned.loaded) return true;
    let applied = true;
    for (const session of this.#sessions.withInstance(entry.key)) {
      applied = this.#reconciler.apply(session, entry, 'sweep') && applied;
    }
    return applied;
  }

  #overfull(): number {
    let count = 0;
    for (const session of this.#sessions.registered()) if (session.omittedLabels > 0) count += 1;
    return count;
  }

  #behindOnRoles(): number {
    let count = 0;
    for (const session of this.#sessions.registered()) if (session.behindOnRoles) count += 1;
    return count;
  }

  async #pushRoles(signal: AbortSignal): Promise<void> {
    using _ = this.#roles.onChange(() => {
      for (const session of this.#sessions.registered()) session.askForRoles();
    });
    await this.#rolePush.run(signal);
  }

  async #tick(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(TICK_MS, signal);
      const now = this.#now();
      for (const session of this.#sessions.open) if (session.dueAt <= now) session.tick();
      this.#reconciler.tick();
    }
  }

  async #followServerInfos(signal: AbortSignal): Promise<void> {
    await followServerInfos(
      {
        store: this.#options.serverInfos,
        assigned: this.#assigned,
        registry: this.#sessions,
        metrics: this.#metrics,
        now: this.#now,
        reconcile: (session, trigger) => {
          this.#reconciler.request(session, trigger);
        },
        reconsider: (session, trigger) => {
          this.#reconciler.reconsider(session, trigger);
        },
        selectable: (session) => this.#reconciler.selectable(session),
        onReset: () => {
          this.#loaded.open();
          this.#sweep.kick();
        },
      },
      signal,
    );
  }

  async #followNodes(signal: AbortSignal): Promise<void> {
    const sessions = this.#sessions;
    await followNodes(
      {
        store: this.#options.nodes,
        writer: this.#writer,
        metrics: this.#metrics,
        sessionOf: (serverId) => sessions.get(serverId),
        sessions: () => sessions.registered(),
      },
      signal,
    );
  }
}

/** Pinged after two thirds of the timeout, dead when the rest brings no answer. */
function settingsFor(idleTimeoutMs: number): AuthSessionSettings {
  return {
    ...DEFAULT_AUTH_SESSION_SETTINGS,
    pingIntervalMs: (idleTimeoutMs * 2) / 3,
    pongTimeoutMs: idleTimeoutMs / 3,
  };
}
