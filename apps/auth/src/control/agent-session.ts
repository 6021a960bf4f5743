import { randomUUID } from 'node:crypto';
import type { AgentHello, ControlStreamRequest, ControlStreamResponse, Heartbeat } from '@tagplane/protocol';
import { authSessionDueAt, holdsNow, nextAuthSession, openAuthSession } from '@tagplane/session';
import type { AuthSessionEffect, AuthSessionEvent, AuthSessionState, Sending } from '@tagplane/session';
import { encodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord, NodeSync } from '../nodes/node-record.ts';
import type { RecordSource, Successor } from '../nodes/node-writer.ts';
import { SessionRoles } from '../roles/session-roles.ts';
import type { RolesStream } from '../roles/session-roles.ts';
import { countAck } from './count-ack.ts';
import type { AgentChannel } from './channel.ts';
import { AgentPeer } from './agent-peer.ts';
import type { AgentCaller } from './agent-peer.ts';
import { heldClaim } from './facts.ts';
import { LabelsOut } from './labels-out.ts';
import { goodbyeMessage, pingMessage } from './messages.ts';
import { NodeView } from './node-view.ts';
import type { Finding, KnownFinding, Wanting } from './node-view.ts';
import { eventOf } from './session-events.ts';
import { CLOSE_GRACE_MS, PENDING_AFTER_MS, supersededRetryMs } from './session-host.ts';
import type { SessionHost } from './session-host.ts';
import { StreamSignatures } from './statements.ts';

type Closing = Extract<AuthSessionEvent, { type: 'close' }>;

/**
 * The auth service's end of one control stream: feeds messages and findings to the pure session and
 * carries out what it says. Nothing here waits, and nothing here throws.
 */
export class AgentSession implements RecordSource, RolesStream {
  readonly sessionId = randomUUID();
  recordRevision: number | undefined = undefined;
  /** Unix milliseconds; `tick` has nothing to do before. */
  dueAt = 0;
  readonly #host: SessionHost;
  readonly #channel: AgentChannel;
  readonly peer: AgentPeer;
  readonly signatures: StreamSignatures | undefined;
  readonly #labels: LabelsOut;
  readonly #roles: SessionRoles;
  #state: AuthSessionState;
  #node: NodeView | undefined;
  #finalSync: NodeSync | undefined;
  /** When an unanswered update is written to the record; Infinity: nothing is to be written. */
  #pendingAt = Infinity;
  #admittedAt = Infinity;
  /** Until a newer session takes over, this one speaks for its server id. */
  #standing: 'new' | 'registered' | 'replaced' = 'new';
  #over = false;

  constructor(host: SessionHost, channel: AgentChannel, caller: AgentCaller) {
    this.#host = host;
    this.#channel = channel;
    this.peer = new AgentPeer(host, caller);
    this.signatures = host.statements && new StreamSignatures(host.statements.authority);
    this.#labels = new LabelsOut({ channel, statements: host.statements, signatures: this.signatures });
    this.#roles = new SessionRoles(host, this);
    this.#state = openAuthSession(host.now(), host.settings);
    this.reschedule();
  }

  /** The peer's own name is the only server id that it may say it is. */
  get serverId(): string {
    return this.peer.peer.name;
  }

  get remoteAddress(): string | undefined {
    return this.peer.remoteAddress;
  }

  get instanceKey(): string | undefined {
    return this.#node?.instanceKey;
  }

  get phase(): AuthSessionState['sync']['phase'] {
    return this.#state.sync.phase;
  }

  get ended(): boolean {
    return this.#over;
  }

  /** Whether it decides by roles that are not those of now. */
  get behindOnRoles(): boolean {
    return this.#roles.behind;
  }

  receive({ message }: ControlStreamRequest): void {
    if (message.case === 'hello') this.#onHello(message.value);
    else if (message.case === 'heartbeat') this.#onHeartbeat(message.value);
    else {
      this.#handle(eventOf(message));
      if (this.phase !== 'closed') this.#roles.receive(message);
      if (message.case !== undefined) return;
      this.#host.metrics.unknownMessages.inc();
      this.#onStray();
    }
  }

  /** It is this hello's turn. */
  admitted(): void {
    if (this.phase !== 'admitting') return;
    this.#standing = 'registered';
    this.#admittedAt = this.#host.now();
    this.#host.register(this);
    this.#handle({ type: 'admitted' });
    this.#roles.admitted();
  }

  /** Takes over what a lookup found. On `needs-record`, `adopt` the record and decide again. */
  decide(finding: Finding): 'done' | 'needs-record' {
    if (this.#node === undefined || this.phase === 'closed') return 'done';
    const verdict = this.#node.consider(finding, holdsNow(this.#state));
    if (verdict === 'needs-record') return verdict;
    if (verdict === 'keep') {
      this.#handle({ type: 'keep' });
      this.#writeRecord();
    } else if (verdict !== 'ignore') {
      this.#want(this.#node, verdict);
    }
    return 'done';
  }

  /** What was found last, as far as it is still known. */
  known(): KnownFinding | undefined {
    return this.phase === 'closed' ? undefined : this.#node?.known();
  }

  /** Labels that it should have and does not get: there are too many. */
  get omittedLabels(): number {
    return this.#node?.omittedLabels ?? 0;
  }

  adopt(record: NodeRecord | undefined, instanceKey: string | undefined): void {
    this.#node?.adopt(record, instanceKey);
  }

  /** To be called when `dueAt` has come. */
  tick(): void {
    const now = this.#host.now();
    if (this.phase === 'closed') {
      this.#host.metrics.cuts.inc();
      this.#channel.cut();
      this.end();
      return;
    }
    if (now >= this.#pendingAt) {
      this.#pendingAt = Infinity;
      this.#writeRecord();
    }
    this.#roles.tick(now);
    this.#handle({ type: 'tick' });
  }

  close(reason: Closing['reason'], message: string, reconnectAfterMs?: number): void {
    this.#handle({ type: 'close', reason, message, reconnectAfterMs });
  }

  send(message: ControlStreamResponse): void {
    this.#channel.send(message);
  }

  /** There are other roles than before. */
  askForRoles(): void {
    this.#roles.ask();
  }

  rolesChanged(): void {
    this.#writeRecord();
  }

  rolesUnanswered(): void {
    this.close('unresponsive', 'updates of roles stay unanswered');
  }

  stray(): void {
    this.#onStray();
  }

  /** Tells the agent of the trust bundle there is now, if it holds an older one. */
  announceTrust(): void {
    const message = this.peer.trustMessage(this.phase, this.#host.now());
    if (message !== undefined) this.#channel.send(message);
  }

  superseded(by: Successor): void {
    if (this.#standing === 'replaced') return;
    this.#standing = 'replaced';
    if (this.phase === 'closed') return;
    // Two agents with one server id would take turns for ever: not fast, and not without a word.
    this.#host.log.warn({ event: 'session_superseded', server_id: this.serverId, by_auth: by.authId });
    this.peer.noteSuccessor(this.sessionId, by);
    this.close('superseded', 'a newer session has this server id', supersededRetryMs());
  }

  /** The stream is over, by whichever side. */
  end(): void {
    if (this.#over) return;
    this.#handle({ type: 'ended' });
    this.#over = true;
    this.#roles.end();
    this.dueAt = Infinity;
    this.#host.release(this);
    this.#writeRecord();
  }

  encodeRecord(): string {
    if (this.#node === undefined) throw new Error('a session without a hello has no record');
    const sync = this.#finalSync ?? this.#status(this.#node, this.#state, this.#host.now());
    const { authId } = this.#host;
    const { sessionId } = this;
    const rolesRevision = this.#roles.held;
    return encodeNodeRecord(
      this.#node.record({ connected: !this.#over, authId, sessionId, sync, rolesRevision }),
    );
  }

  #onHello(hello: AgentHello): void {
    const taken = this.peer.takeHello(hello);
    if (taken.result === 'denied') {
      this.#host.metrics.hello('denied');
      this.#channel.deny(`${this.serverId} may not speak for another server id`);
      this.#handle({ type: 'ended' });
    } else if (taken.result === 'refused') {
      this.#refuse(taken.problem);
    } else {
      this.#node ??= new NodeView(taken.hello, this.#host.now());
      this.#labels.takesBatches = hello.takesBatches;
      this.#roles.hello(hello);
      const trusts = Number(hello.heartbeat?.trustGeneration ?? 0n);
      if (trusts !== this.#host.trust().generation) this.signatures?.doubt();
      this.#handle({ type: 'hello', held: taken.hello.held });
    }
  }

  #onHeartbeat(heartbeat: Heartbeat): void {
    let changed = false;
    if (this.#node !== undefined && this.phase !== 'closed') {
      const taken = this.peer.takeHeartbeat(heartbeat, this.#host.now());
      if (!taken.ok) {
        this.#refuse(taken.problem);
        return;
      }
      const { instanceKey: before, aws } = this.#node;
      this.#node.update(taken.facts, this.#host.now());
      const rekeyed = before !== taken.facts.instanceKey;
      changed = rekeyed || aws !== taken.facts.aws;
      if (rekeyed && this.#standing === 'registered') this.#host.rekey(this, before);
    }
    this.#handle({ type: 'heartbeat', held: heldClaim(heartbeat), changed });
    if (this.phase !== 'closed') this.#roles.heartbeat(heartbeat);
    this.#renewStatements();
    this.#writeRecord();
    this.announceTrust();
  }

  /** What the agent keeps must not rest on an authority that may be dropped next. */
  #renewStatements(): void {
    const authority = this.#host.statements?.authority;
    if (authority === undefined || this.phase === 'closed') return;
    if (this.signatures?.outdated('labels', authority) === true) this.#handle({ type: 'renew' });
    if (this.signatures?.outdated('roles', authority) === true) this.#roles.renew();
  }

  #onStray(): void {
    const problem = this.phase === 'closed' ? undefined : this.peer.strayProblem(this.#host.now());
    if (problem !== undefined) this.#refuse(problem);
  }

  #refuse(problem: string): void {
    if (this.#standing === 'new') this.#host.metrics.hello('refused');
    this.#host.log.warn({ event: 'agent_refused', server_id: this.serverId, reason: problem });
    this.peer.noteRefusal(problem);
    this.close('refused', problem);
  }

  #want(node: NodeView, wanting: Wanting): void {
    const before = this.#state.sync;
    this.#handle({ type: 'wanted', version: wanting.version }, wanting);
    const after = this.#state.sync;
    if (after.phase !== 'synced' || (after === before && !wanting.restated)) return;
    node.hold(wanting);
    this.#writeRecord();
  }

  #handle(event: AuthSessionEvent, wanting?: Wanting): void {
    const before = this.#state;
    if (before.sync.phase === 'closed') return;
    const now = this.#host.now();
    const { state, effects } = nextAuthSession(before, event, now, this.#host.settings);
    if (state.sync.phase === 'closed') {
      this.#finalSync = this.#node && this.#status(this.#node, before, now);
      this.#labels.close();
    }
    this.#state = state;
    for (const effect of effects) {
      // What the session itself refuses: messages out of turn. Other refusals are noted where they are made.
      const outOfTurn = effect.type === 'close' && effect.reason === 'refused' && event.type !== 'close';
      if (outOfTurn) this.peer.noteRefusal(effect.message);
      this.#carryOut(effect, now, wanting);
    }
    this.reschedule();
  }

  #carryOut(effect: AuthSessionEffect, now: number, wanting: Wanting | undefined): void {
    const { metrics } = this.#host;
    switch (effect.type) {
      case 'admit':
        this.#host.admit(this);
        break;
      case 'send-hello':
        this.#channel.send(this.#host.hello);
        this.announceTrust();
        break;
      case 'send-update':
        if (wanting !== undefined) this.#send(effect, wanting, now);
        break;
      case 'send-ping':
        metrics.pings.inc();
        this.#channel.send(pingMessage(effect.nonce));
        break;
      case 'reconcile':
        this.#host.reconcile(this, effect.cause);
        break;
      case 'acked':
        this.#onAcked(effect.sending, now);
        break;
      case 'nacked':
        metrics.nacks.inc();
        this.#node?.refused();
        this.signatures?.refused();
        this.#pendingAt = Infinity;
        this.#host.log.warn({ event: 'labels_refused', server_id: this.serverId, reason: effect.reason });
        this.#writeRecord();
        break;
      case 'stale':
        metrics.stale(effect.answer);
        this.#onStray();
        break;
      case 'close':
        metrics.goodbye(effect.reason);
        this.#roles.end();
        this.#channel.close(goodbyeMessage(effect.reason, effect.message, effect.reconnectAfterMs));
    }
  }

  #send(effect: Extract<AuthSessionEffect, { type: 'send-update' }>, wanting: Wanting, now: number): void {
    this.#host.metrics.push(effect.kind);
    this.#node?.sending(wanting, now);
    this.#pendingAt = now + PENDING_AFTER_MS;
    this.#labels.send(this.serverId, effect, wanting, now);
  }

  #onAcked(sending: Sending, now: number): void {
    const cause = this.#node?.acknowledged(now);
    this.signatures?.acknowledged();
    countAck(this.#host.metrics, { sending, cause, admittedAt: this.#admittedAt, now });
    this.#pendingAt = Infinity;
    this.#writeRecord();
  }

  #writeRecord(): void {
    if (this.#standing === 'registered' && this.#node?.decided === true) this.#host.writeRecord(this);
  }

  /** Labels first: roles that it lacks show where the labels are as they should be. */
  #status(node: NodeView, state: AuthSessionState, now: number): NodeSync {
    const sync = node.status(state.sync, now);
    const reason = this.#roles.problem(now);
    return sync.state === 'synced' && reason !== undefined ? { state: 'pending', reason } : sync;
  }

  /** Something may be due at another time than before. */
  reschedule(): void {
    if (this.#over) return;
    this.dueAt =
      this.phase === 'closed'
        ? this.#host.now() + CLOSE_GRACE_MS
        : Math.min(authSessionDueAt(this.#state, this.#host.settings), this.#pendingAt, this.#roles.dueAt);
  }
}
