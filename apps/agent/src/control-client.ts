import type { Credentials, SignedStatement } from '@tagplane/credentials';
import type { ServerId } from '@tagplane/identity';
import type { ControlStreamResponse, Signature } from '@tagplane/protocol';
import type { Address, Logger } from '@tagplane/runtime';
import { SECOND, formatAddress } from '@tagplane/runtime';
import { dueAt, nextAgentSession, startAgentSession } from '@tagplane/session';
import type {
  AgentContext,
  AgentEffect,
  AgentEvent,
  AgentMessage,
  AgentSession,
  AuthMessage,
  OfferedRoles,
  OfferedUpdate,
} from '@tagplane/session';
import type { Clock } from './clock.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { agentMessage, authMessage, helloMessage } from './convert.ts';
import { Inbox } from './inbox.ts';
import type { AgentObserver } from './observer.ts';
import type { Report } from './report.ts';
import type { ConnectionSecurity } from './security.ts';
import { SignatureReader } from './signatures.ts';

export interface ControlClientOptions {
  readonly addresses: readonly [Address, ...Address[]];
  readonly reconnect: { readonly firstMs: number; readonly longestMs: number };
  /** Whom the agent speaks for at this moment. */
  readonly serverId: () => ServerId;
  /** How the next connection is secured; undefined: there are no credentials for it now. */
  readonly security: () => ConnectionSecurity | undefined;
  readonly report: () => Report;
  /** Told of the trust bundle there is now, and over how many milliseconds renewals are to be spread. */
  readonly trustChanged?: (generation: number, withinMs: number) => void;
  /** Told that an auth service will not have this agent as it is. */
  readonly refused?: () => void;
  /** Makes an update take effect; resolves to the problem when it does not. Never rejects. */
  readonly apply: (update: OfferedUpdate, signed?: SignedStatement) => Promise<string | undefined>;
  /** The same for roles; undefined: this agent decides nothing, and wants none. */
  readonly applyRoles?:
    ((update: OfferedRoles, signed?: SignedStatement) => Promise<string | undefined>) | undefined;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly observer: AgentObserver;
  readonly log: Logger;
}

/** How the connection does, for people. Times are Unix milliseconds. */
export interface ConnectionStatus {
  readonly state: 'connected' | 'connecting' | 'waiting' | 'stopped';
  readonly address: string | undefined;
  readonly authId: string | undefined;
  /** Since when the state is as it is. */
  readonly since: number;
  /** When the next attempt is due, while waiting. */
  readonly retryAt: number | undefined;
  readonly lastError: string | undefined;
}

type Posted = AgentEvent & {
  readonly from?: object;
  /** What came with a received update. */
  readonly signed?: SignedStatement | undefined;
};

/**
 * From the start of an attempt, connecting included, until the auth service's hello: it lets in a fleet
 * that arrives together within 20 s, and who gives up before that only has to queue again.
 */
const HELLO_TIMEOUT_MS = 30 * SECOND;

/** The agent's end of the control stream: one loop owns the stream and does what the session says. */
export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #inbox = new Inbox<Posted>();
  #session: AgentSession;
  #connection: Connection | undefined;
  /** Stands for the current connection in what its reader posts. */
  #mark: object = {};
  #changed = false;
  #stateSince: number;
  #lastError: string | undefined;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#session = startAgentSession(this.#context());
    this.#stateSince = options.clock().wallMs;
  }

  /** Runs until the signal aborts, then says goodbye; resolves when nothing of it runs any more. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.#post({ kind: 'stop', reason: 'the agent is stopping' });
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (this.#session.phase !== 'stopped') {
        const due = dueAt(this.#session);
        const ms = due === undefined ? undefined : due - this.#context().now;
        await this.#handle((await this.#inbox.take(ms)) ?? { kind: 'due' });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#drop();
    }
  }

  /** What a heartbeat says has changed. */
  changed(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.#post({ kind: 'changed' });
  }

  /**
   * The agent speaks for another server, or another instance, now: the stream is opened anew in its name,
   * and from this moment on nothing is taken that came on the old one.
   */
  reidentified(): void {
    this.#mark = {};
    this.#post({ kind: 'reidentified' });
  }

  /** Renews the certificate on the stream's own connection; undefined when there is none. */
  async renew(current: Credentials, signal: AbortSignal): Promise<Credentials | undefined> {
    return this.#session.phase === 'open' ? await this.#connection?.renew(current, signal) : undefined;
  }

  status(): ConnectionStatus {
    const session = this.#session;
    const { monotonicMs, wallMs } = this.#options.clock();
    const address = 'address' in session ? this.#options.addresses[session.address] : undefined;
    return {
      state: STATES[session.phase],
      address: address && formatAddress(address),
      authId: session.phase === 'open' ? session.authId : undefined,
      since: this.#stateSince,
      retryAt: session.phase === 'waiting' ? wallMs + Math.max(0, session.until - monotonicMs) : undefined,
      lastError: this.#lastError,
    };
  }

  #context(): AgentContext {
    const { addresses, reconnect, random = Math.random, clock } = this.#options;
    return {
      now: clock().monotonicMs,
      random,
      policy: { addresses: addresses.length, ...reconnect, helloTimeoutMs: HELLO_TIMEOUT_MS },
    };
  }

  #post(event: Posted): void {
    void this.#inbox.put(event);
  }

  async #handle(event: Posted): Promise<void> {
    if (this.#isStale(event)) return;
    if (event.kind === 'changed') this.#changed = false;
    if (event.kind === 'received') this.#note(event.message);
    const before = this.#session;
    const { state, effects } = nextAgentSession(before, event, this.#context());
    this.#session = state;
    if (state.phase !== before.phase) this.#entered(state);
    for (const effect of effects) await this.#execute(effect, event.signed);
  }

  /** What is no matter of the session's. */
  #note(message: AuthMessage): void {
    if (message.kind === 'unknown') this.#options.observer.unknownMessage();
    if (message.kind !== 'trust-changed') return;
    this.#options.trustChanged?.(message.generation, message.withinMs);
  }

  /** What a dropped stream's reader had still to say. */
  #isStale({ from }: Posted): boolean {
    return from !== undefined && from !== this.#mark;
  }

  #entered(state: AgentSession): void {
    this.#stateSince = this.#options.clock().wallMs;
    if (state.phase !== 'open') return;
    this.#lastError = undefined;
    this.#options.observer.connected(state.authId);
    this.#options.log.info({ event: 'connected', address: this.status().address, auth_id: state.authId });
  }

  async #execute(effect: AgentEffect, signed: SignedStatement | undefined): Promise<void> {
    switch (effect.do) {
      case 'open':
        this.#open(effect.address);
        return;
      case 'send':
        this.#send(effect.message);
        return;
      case 'apply':
        await this.#apply(effect.update, signed);
        return;
      case 'apply-roles':
        await this.#applyRoles(effect.update, signed);
        return;
      case 'close':
        await this.#close(effect.reason, effect.refused);
        return;
    }
  }

  #open(index: number): void {
    const { addresses, serverId, report, applyRoles } = this.#options;
    const decides = applyRoles !== undefined;
    const mark = {};
    this.#mark = mark;
    const security = this.#options.security();
    if (security === undefined) {
      this.#post({ kind: 'ended', end: { kind: 'lost' }, reason: 'no credentials', from: mark });
      return;
    }
    const signatures = new SignatureReader();
    const connection = openConnection({
      address: addresses[index] ?? addresses[0],
      serverId: serverId(),
      security,
      onMessage: async (message: ControlStreamResponse) => {
        if (mark !== this.#mark) return;
        const signed = signatures.read(signatureOf(message));
        await this.#inbox.put({ kind: 'received', message: authMessage(message), signed, from: mark });
      },
      onEnd: (end, reason) => {
        this.#post({ kind: 'ended', end, reason, from: mark });
      },
    });
    connection.send('hello', () => helloMessage(serverId(), report(), decides));
    this.#connection = connection;
  }

  #send(message: AgentMessage): void {
    this.#connection?.send(PLACES[message.kind] ?? message.kind, () =>
      agentMessage(message, this.#options.report),
    );
    if (message.kind === 'heartbeat') this.#options.observer.heartbeatSent();
    if (message.kind === 'goodbye') this.#connection?.finish();
  }

  async #apply(update: OfferedUpdate, signed: SignedStatement | undefined): Promise<void> {
    const problem = await this.#options.apply(update, signed);
    this.#options.observer.updateAnswered(update.change.kind, update.revision, problem);
    await this.#handle({ kind: 'applied', nonce: update.nonce, problem });
  }

  async #applyRoles(update: OfferedRoles, signed: SignedStatement | undefined): Promise<void> {
    const { applyRoles, observer } = this.#options;
    const problem = applyRoles === undefined ? 'this agent takes no roles' : await applyRoles(update, signed);
    observer.rolesAnswered(update.change.kind, update.revision, problem);
    await this.#handle({ kind: 'roles-applied', nonce: update.nonce, problem });
  }

  /** Ends the stream. Its reader may wait for this very loop to take a message, so that is let go first. */
  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#mark = {};
    this.#inbox.discard((event) => this.#isStale(event));
    await connection?.close();
  }

  async #close(reason: string, refused: boolean): Promise<void> {
    await this.#drop();
    this.#options.observer.disconnected(reason);
    const { state, retryAt } = this.status();
    if (state === 'stopped') {
      this.#options.log.info({ event: 'disconnected', reason });
      return;
    }
    this.#lastError = reason;
    if (refused) this.#options.refused?.();
    const retry_in_ms = retryAt === undefined ? 0 : Math.round(retryAt - this.#options.clock().wallMs);
    if (refused) this.#options.log.error({ event: 'refused', reason, retry_in_ms });
    else this.#options.log.warn({ event: 'disconnected', reason, retry_in_ms });
  }
}

/** An ack and a nack answer the same update or a newer one: they share a place. */
const PLACES: Partial<Record<AgentMessage['kind'], string>> = { nack: 'ack', 'roles-nack': 'roles-ack' };

function signatureOf({ message }: ControlStreamResponse): Signature | undefined {
  const signs = message.case === 'updateLabels' || message.case === 'updateRoles';
  return signs ? message.value.signature : undefined;
}

const STATES = {
  open: 'connected',
  greeting: 'connecting',
  waiting: 'waiting',
  leaving: 'stopped',
  stopped: 'stopped',
} as const satisfies Record<AgentSession['phase'], ConnectionStatus['state']>;
