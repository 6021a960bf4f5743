import type { ReconnectPolicy, StreamEnd } from './agent-reconnect.ts';
import type { OfferedRoles } from './agent-roles.ts';
import type { OfferedUpdate } from './agent-update.ts';

/** How the auth service wants the agent to behave on this stream. Milliseconds. */
export interface StreamLimits {
  readonly heartbeatMs: number;
  /** A stream that brings nothing for longer is dead; undefined: left to HTTP/2 pings. */
  readonly idleMs: number | undefined;
}

/** The agent's end of the control stream. All times are monotonic milliseconds. */
export type AgentSession =
  /** No stream; the next attempt is due at `until`. */
  | {
      readonly phase: 'waiting';
      readonly address: number;
      readonly failures: number;
      readonly until: number;
    }
  /** A stream is being opened; its hello has been handed over. */
  | {
      readonly phase: 'greeting';
      readonly address: number;
      readonly failures: number;
      readonly until: number;
    }
  /** Both hellos are exchanged. */
  | {
      readonly phase: 'open';
      readonly address: number;
      readonly authId: string;
      readonly since: number;
      readonly limits: StreamLimits;
      readonly heardAt: number;
      readonly heartbeatAt: number;
    }
  /** The goodbye is on its way; the stream is dropped at `until`. */
  | { readonly phase: 'leaving'; readonly until: number }
  | { readonly phase: 'stopped' };

/** What an auth service sends, parsed. */
export type AuthMessage =
  | { readonly kind: 'hello'; readonly authId: string; readonly limits: StreamLimits }
  | { readonly kind: 'update'; readonly update: OfferedUpdate }
  | { readonly kind: 'update-roles'; readonly update: OfferedRoles }
  | { readonly kind: 'ping'; readonly nonce: string }
  | { readonly kind: 'goodbye'; readonly end: StreamEnd; readonly reason: string }
  /** Other authorities are to be trusted now; renewals are to be spread over `withinMs`. */
  | { readonly kind: 'trust-changed'; readonly generation: number; readonly withinMs: number }
  /** A member that this version does not know. */
  | { readonly kind: 'unknown' };

/** What an agent sends after its hello. A heartbeat's content is read when it is written out. */
export type AgentMessage =
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'ack'; readonly nonce: string }
  | { readonly kind: 'nack'; readonly nonce: string; readonly reason: string }
  | { readonly kind: 'roles-ack'; readonly nonce: string }
  | { readonly kind: 'roles-nack'; readonly nonce: string; readonly reason: string }
  | { readonly kind: 'pong'; readonly nonce: string }
  | { readonly kind: 'goodbye'; readonly reason: string };

export type AgentEvent =
  /** `dueAt` has come. */
  | { readonly kind: 'due' }
  | { readonly kind: 'received'; readonly message: AuthMessage }
  /** The stream ended by itself. */
  | { readonly kind: 'ended'; readonly end: StreamEnd; readonly reason: string }
  /** An `apply` effect is done; with a problem when the labels held before still stand. */
  | { readonly kind: 'applied'; readonly nonce: string; readonly problem: string | undefined }
  /** The same of an `apply-roles` effect. */
  | { readonly kind: 'roles-applied'; readonly nonce: string; readonly problem: string | undefined }
  /** What a heartbeat says has changed. */
  | { readonly kind: 'changed' }
  /** The agent now speaks for another server: the stream is no longer its own. */
  | { readonly kind: 'reidentified' }
  | { readonly kind: 'stop'; readonly reason: string };

export type AgentEffect =
  /** Open a stream to this address and say hello. */
  | { readonly do: 'open'; readonly address: number }
  | { readonly do: 'send'; readonly message: AgentMessage }
  /** Make the update take effect, then report `applied`. */
  | { readonly do: 'apply'; readonly update: OfferedUpdate }
  /** Make the roles take effect, then report `roles-applied`. */
  | { readonly do: 'apply-roles'; readonly update: OfferedRoles }
  /** Drop the stream. `refused`: the auth service will not have this agent as it is. */
  | { readonly do: 'close'; readonly reason: string; readonly refused: boolean };

export interface AgentStep {
  readonly state: AgentSession;
  readonly effects: readonly AgentEffect[];
}

/** What a step may depend on beside the state and the event. */
export interface AgentContext {
  readonly now: number;
  readonly random: () => number;
  readonly policy: ReconnectPolicy;
}
