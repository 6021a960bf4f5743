import type { AgentHello, ControlStreamRequest, ControlStreamResponse, Heartbeat } from '@tagplane/protocol';
import { optionalDurationMs } from '@tagplane/protocol';
import type { Logger } from '@tagplane/runtime';
import { OPEN_AUTH_ROLES, authRolesDueAt, nextAuthRoles } from '@tagplane/session';
import type {
  AuthRolesEffect,
  AuthRolesEvent,
  AuthSessionSettings,
  HeldRolesClaim,
  RolesChange,
} from '@tagplane/session';
import type { ControlMetrics } from '../control/metrics.ts';
import type { Statements, StreamSignatures } from '../control/statements.ts';
import type { RolePush, RoleReceiver } from './role-push.ts';
import type { RoleSet } from './role-sets.ts';

/** The stream that the roles of an agent go down. */
export interface RolesStream {
  readonly serverId: string;
  /** Undefined without TLS. */
  readonly signatures: StreamSignatures | undefined;
  send(message: ControlStreamResponse): void;
  /** What it acknowledged, or why it has not, is another than before. */
  rolesChanged(): void;
  /** It answered something else than what it was sent last. */
  stray(): void;
  rolesUnanswered(): void;
  /** `dueAt` may be another. */
  reschedule(): void;
}

export interface RolesHost {
  readonly settings: AuthSessionSettings;
  readonly metrics: Pick<ControlMetrics, 'rolePush' | 'roleAcks' | 'roleNacks' | 'stale'>;
  readonly log: Logger;
  readonly rolePush: RolePush;
  readonly statements: Statements | undefined;
  now(): number;
}

const MAX_REASON = 1_024;
/** As of labels: an update that waits longer shows in the node's record. */
const PENDING_AFTER_MS = 1_000;

/** The roles of one agent: feeds what it says to the pure state, and carries out what that says. */
export class SessionRoles implements RoleReceiver {
  readonly #host: RolesHost;
  readonly #stream: RolesStream;
  readonly #spread = Math.random();
  #state = OPEN_AUTH_ROLES;
  #hello: Extract<AuthRolesEvent, { type: 'hello' }> | undefined;
  #held = '';
  /** When an unanswered update is to be seen in the record; Infinity: it is already, or there is none. */
  #pendingAt = Infinity;
  #telling: RoleSet | undefined;

  constructor(host: RolesHost, stream: RolesStream) {
    this.#host = host;
    this.#stream = stream;
  }

  /** Unix milliseconds; `tick` has nothing to do before. */
  get dueAt(): number {
    return Math.min(authRolesDueAt(this.#state, this.#spread), this.#pendingAt);
  }

  /** Revision of the roles that it acknowledged, or says it holds; empty: none. */
  get held(): string {
    return this.#held;
  }

  /** Whether it decides by roles that are not those of now. */
  get behind(): boolean {
    const { phase } = this.#state.sync;
    return phase !== 'off' && phase !== 'synced';
  }

  /** Why it does not have the roles that it should have, for a person; undefined: it has, or soon will. */
  problem(now: number): string | undefined {
    const { sync } = this.#state;
    if (sync.phase === 'backing-off') return `the agent refused its roles: ${sync.reason}`;
    const late = sync.phase === 'awaiting-ack' && now >= sync.sending.sentAt + PENDING_AFTER_MS;
    const unanswered = sync.phase === 'undecided' && sync.tries.unanswered > 0;
    return late || unanswered ? 'an update of its roles is on its way' : undefined;
  }

  /** To be acted on when the hello's turn has come. */
  hello({ decides, heartbeat }: AgentHello): void {
    this.#hello ??= { type: 'hello', decides, held: claimOf(heartbeat) };
    this.#held = this.#hello.held.revision;
  }

  admitted(): void {
    if (this.#hello !== undefined) this.#handle(this.#hello);
  }

  heartbeat(heartbeat: Heartbeat): void {
    if (this.#state.sync.phase === 'off') return;
    this.#held = heartbeat.heldRolesRevision;
    this.#handle({ type: 'heartbeat', held: claimOf(heartbeat) });
  }

  receive({ case: kind, value }: ControlStreamRequest['message']): void {
    if (kind === 'rolesAck') this.#handle({ type: 'ack', nonce: value.nonce });
    if (kind !== 'rolesNack') return;
    this.#handle({ type: 'nack', nonce: value.nonce, reason: value.reason.slice(0, MAX_REASON) });
  }

  /** There are other roles than before. */
  ask(): void {
    if (this.#state.sync.phase !== 'off') this.#host.rolePush.ask(this);
  }

  /** What the agent keeps is to be signed anew. */
  renew(): void {
    this.#handle({ type: 'renew' });
  }

  want(set: RoleSet, knows: (base: string) => boolean): void {
    this.#telling = set;
    this.#handle({ type: 'wanted', revision: set.revision, knows });
    this.#telling = undefined;
  }

  /** To be called when `dueAt` has come. */
  tick(now: number): void {
    if (now < this.dueAt) return;
    if (now >= this.#pendingAt) {
      this.#pendingAt = Infinity;
      this.#stream.rolesChanged();
    }
    this.#handle({ type: 'tick' });
  }

  /** The stream is over. */
  end(): void {
    this.#pendingAt = Infinity;
    this.#host.rolePush.forget(this);
  }

  #handle(event: AuthRolesEvent): void {
    const { settings } = this.#host;
    const context = { now: this.#host.now(), settings, spread: this.#spread };
    const { state, effects } = nextAuthRoles(this.#state, event, context);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    this.#stream.reschedule();
  }

  #carryOut(effect: AuthRolesEffect): void {
    const { metrics, rolePush, log } = this.#host;
    switch (effect.type) {
      case 'ask':
        rolePush.answered(this);
        rolePush.ask(this);
        break;
      case 'send-roles':
        this.#send(effect.nonce, effect.change);
        break;
      case 'acked':
        metrics.roleAcks.inc();
        this.#held = effect.sending.revision;
        this.#stream.signatures?.acknowledged();
        this.#answered();
        break;
      case 'nacked':
        metrics.roleNacks.inc();
        log.warn({ event: 'roles_refused', server_id: this.#stream.serverId, reason: effect.reason });
        this.#stream.signatures?.refused();
        this.#answered();
        break;
      case 'stale':
        metrics.stale(effect.answer === 'ack' ? 'roles_ack' : 'roles_nack');
        this.#stream.stray();
        break;
      case 'unresponsive':
        this.#stream.rolesUnanswered();
    }
  }

  #send(nonce: string, change: RolesChange): void {
    const set = this.#telling;
    if (set === undefined) return;
    const { metrics, rolePush, statements } = this.#host;
    const now = this.#host.now();
    const signature =
      statements &&
      this.#stream.signatures?.message('roles', statements.authority, statements.roles(set.revision, now));
    metrics.rolePush(change.kind);
    this.#pendingAt = now + PENDING_AFTER_MS;
    this.#stream.send(rolePush.update(this, nonce, set, change, signature));
  }

  #answered(): void {
    this.#pendingAt = Infinity;
    this.#host.rolePush.answered(this);
    this.#stream.rolesChanged();
  }
}

function claimOf(heartbeat: Heartbeat | undefined): HeldRolesClaim {
  return {
    revision: heartbeat?.heldRolesRevision ?? '',
    remainingMs: optionalDurationMs(heartbeat?.heldRolesRemaining),
  };
}
