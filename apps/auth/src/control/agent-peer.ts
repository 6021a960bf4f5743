import { instanceKeyText, peerText } from '@tagplane/identity';
import type { Peer } from '@tagplane/identity';
import type { AgentHello, ControlStreamResponse, Heartbeat, PeerConnection } from '@tagplane/protocol';
import { TRUST_UNKNOWN, trustIsDue } from '@tagplane/session';
import type { TrustView } from '@tagplane/session';
import type { AuditRecord } from '../audit/audit.ts';
import type { Successor } from '../nodes/node-writer.ts';
import { factsOf, takeHello } from './facts.ts';
import { INSTANCE_PROBLEMS } from './instance-claim.ts';
import type { InstanceClaim } from './instance-claim.ts';
import { MessageRate } from './message-rate.ts';
import { trustChangedMessage } from './messages.ts';
import type { SessionHost } from './session-host.ts';

/** Who opened a control stream. */
export interface AgentCaller {
  readonly peer: Peer;
  /** Undefined without TLS. */
  readonly connection: PeerConnection | undefined;
}

export type AgentPeerHost = Pick<SessionHost, 'audit' | 'metrics' | 'trust'>;

/**
 * An agent looks for changes every 5 s and heartbeats every few minutes without: ten at once and one a second
 * are five times what it can have to say. More is refused, not merely skipped: reading it is what costs.
 */
const HEARTBEATS = { burst: 10, perSecond: 1 } as const;
/** Answers to nothing, and messages of a kind that only newer agents know. */
const STRAY = { burst: 100, perSecond: 10 } as const;

const NOBODY_TO_TELL: ReadonlySet<string> = new Set(['awaiting-hello', 'admitting', 'closed']);

/** Who is at the other end of a control stream: what that allows, and what is noted of it. */
export class AgentPeer {
  readonly #host: AgentPeerHost;
  readonly #caller: AgentCaller;
  #trust: TrustView = TRUST_UNKNOWN;
  /** The claim that was audited last. */
  #mismatch: string | undefined;
  // Made with the first message of their kind, which on most streams is minutes away.
  #heartbeats: MessageRate | undefined;
  #stray: MessageRate | undefined;

  constructor(host: AgentPeerHost, caller: AgentCaller) {
    this.#host = host;
    this.#caller = caller;
  }

  get peer(): Peer {
    return this.#caller.peer;
  }

  get remoteAddress(): string | undefined {
    return this.#caller.connection?.remoteAddress;
  }

  /** What a hello says, as far as this peer may say it. */
  takeHello(hello: AgentHello): ReturnType<typeof takeHello> {
    const taken = takeHello(hello, this.peer);
    if (taken.result === 'denied') {
      this.noteRefusal('it may not speak for another server id', { claimed: hello.serverId });
    } else if (taken.result === 'taken') {
      this.#noteClaim(taken.hello.facts);
      this.#noteTrust(hello.heartbeat?.trustGeneration ?? 0n);
    }
    return taken;
  }

  /** What a heartbeat says, as far as this peer may say it, and as often. */
  takeHeartbeat(heartbeat: Heartbeat, now: number): ReturnType<typeof factsOf> {
    this.#heartbeats ??= new MessageRate(HEARTBEATS.burst, HEARTBEATS.perSecond, now);
    if (!this.#heartbeats.take(now)) {
      this.#host.metrics.heartbeatsRefused.inc();
      return { ok: false, problem: 'too many heartbeats' };
    }
    const taken = factsOf(heartbeat, this.peer);
    if (taken.ok) {
      this.#noteClaim(taken.facts);
      this.#noteTrust(heartbeat.trustGeneration);
    }
    return taken;
  }

  /** Why a message that answers nothing, or is of an unknown kind, is one too many. */
  strayProblem(now: number): string | undefined {
    this.#stray ??= new MessageRate(STRAY.burst, STRAY.perSecond, now);
    if (this.#stray.take(now)) return undefined;
    this.#host.metrics.straysRefused.inc();
    return 'too many messages that answer nothing';
  }

  /** What tells the agent of the present trust bundle; undefined: it knows, or its hello is not answered yet. */
  trustMessage(phase: string, now: number): ControlStreamResponse | undefined {
    if (NOBODY_TO_TELL.has(phase)) return undefined;
    const { generation, withinMs } = this.#host.trust();
    if (!trustIsDue(this.#trust, generation, now)) return undefined;
    this.#trust = { reported: this.#trust.reported, announced: generation, announcedAt: now };
    this.#host.metrics.trustAnnouncements.inc();
    return trustChangedMessage(generation, withinMs);
  }

  /** An instance that its certificate does not prove is audited once, and again when it names another one. */
  #noteClaim({ problem, named, aws }: Pick<InstanceClaim, 'problem' | 'named' | 'aws'>): void {
    const { proof, instance } = this.#caller.peer;
    const mismatch = problem === undefined || proof === 'claimed' ? undefined : `${problem} ${named ?? ''}`;
    if (mismatch === this.#mismatch) return;
    this.#mismatch = mismatch;
    if (mismatch === undefined || problem === undefined) return;
    this.#host.metrics.instanceMismatch(problem);
    this.#record('agent.instance_mismatch', INSTANCE_PROBLEMS[problem], {
      named: named ?? '',
      proven: instance === undefined ? 'none' : instanceKeyText(instance),
      aws_labels: aws,
    });
  }

  noteRefusal(reason: string, details: Readonly<Record<string, string>> = {}): void {
    this.#record('agent.refused', reason, details);
  }

  /** One event for each of the two sessions. */
  noteSuccessor(sessionId: string, by: Successor): void {
    this.#record('agent.superseded', 'a newer session has this server id', {
      session: sessionId,
      by_session: by.sessionId ?? '',
      by_auth: by.authId,
    });
    this.#host.audit.record({
      code: 'agent.superseded',
      result: 'ok',
      actor: peerText(this.#caller.peer),
      remoteAddress: by.remoteAddress,
      reason: 'it took the place of an older session',
      subjects: [this.#caller.peer.name],
      details: { session: by.sessionId ?? '', auth: by.authId, replaced: sessionId },
    });
  }

  /** Generation of the trust bundle that the agent says it holds. */
  #noteTrust(generation: bigint): void {
    const reported = Number(generation);
    const { connection } = this.#caller;
    if (connection !== undefined) connection.trustGeneration = reported;
    if (reported !== this.#trust.reported) this.#trust = { ...this.#trust, reported };
  }

  #record(code: AuditRecord['code'], reason: string, details: Readonly<Record<string, string>>): void {
    const { peer } = this.#caller;
    const { remoteAddress } = this;
    const actor = peerText(peer);
    this.#host.audit.record({
      code,
      result: 'refused',
      actor,
      remoteAddress,
      reason,
      subjects: [peer.name],
      details,
    });
  }
}
