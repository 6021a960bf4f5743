import type { LabelsVersion } from './lifetimes.ts';

/** What the auth service knows of the labels that the agent holds from it. */
export type Held =
  /** Acknowledged on this stream. */
  | { readonly known: 'exactly'; readonly version: LabelsVersion }
  /** The agent's own word, in a hello or heartbeat; `expiresAt` is the first end among all namespaces. */
  | { readonly known: 'by-word'; readonly revision: string; readonly expiresAt: number | undefined }
  /** An update may or may not have taken effect. */
  | { readonly known: 'not' };

/** `renew`: only the lifetimes of what the agent holds. */
export type UpdateKind = 'replace' | 'renew';

/** What came of earlier sends of the same update. */
export interface Tries {
  readonly unanswered: number;
  readonly refused: number;
}

/** An update that is on its way. */
export interface Sending {
  readonly nonce: string;
  readonly kind: UpdateKind;
  readonly version: LabelsVersion;
  readonly sentAt: number;
  readonly tries: Tries;
  /** Whether something else is wanted by now; sent when this one is answered, one at a time. */
  readonly newer: boolean;
}

export type SyncPhase =
  | { readonly phase: 'awaiting-hello'; readonly deadline: number }
  /** The hello is here and waits for its turn. */
  | { readonly phase: 'admitting'; readonly held: Held }
  /** What the agent should have is not known, or not known again since the last attempt. */
  | { readonly phase: 'undecided'; readonly held: Held; readonly tries: Tries }
  | { readonly phase: 'awaiting-ack'; readonly sending: Sending; readonly deadline: number }
  /** No answer in time: the latest state is being looked up, to be sent again. */
  | { readonly phase: 'overdue'; readonly sending: Sending }
  /** The agent refused an update; the same one is tried again later, another one at once. */
  | {
      readonly phase: 'backing-off';
      readonly held: Held;
      readonly refused: LabelsVersion;
      readonly reason: string;
      readonly tries: Tries;
      readonly retryAt: number;
    }
  | { readonly phase: 'synced'; readonly version: LabelsVersion }
  | { readonly phase: 'closed'; readonly reason: CloseReason };

/** `ended`: the other side closed it, or the connection was lost. */
export type CloseReason = 'drain' | 'superseded' | 'refused' | 'unresponsive' | 'ended';

/** Whether the other end is alive: silent for a while, it is pinged; then silent still, it is dead. */
export interface Liveness {
  readonly heardAt: number;
  readonly spokeAt: number;
  /** Sent and not answered. */
  readonly ping: { readonly nonce: string; readonly sentAt: number } | undefined;
}

/** The auth service's view of one control stream. */
export interface AuthSessionState {
  readonly sync: SyncPhase;
  readonly liveness: Liveness;
  /** Messages with a nonce so far; the next nonce is made from it. */
  readonly sends: number;
}

/** What the agent says it holds; `remainingMs` undefined: without end, or nothing. */
export interface HeldClaim {
  readonly revision: string;
  readonly remainingMs: number | undefined;
}

export type AuthSessionEvent =
  // From the agent.
  | { readonly type: 'hello'; readonly held: HeldClaim }
  /** `changed`: what it says of itself asks for another look at what it should have. */
  | { readonly type: 'heartbeat'; readonly held: HeldClaim; readonly changed: boolean }
  | { readonly type: 'ack'; readonly nonce: string }
  | { readonly type: 'nack'; readonly nonce: string; readonly reason: string }
  | { readonly type: 'pong'; readonly nonce: string }
  /** A message of a newer version. */
  | { readonly type: 'unknown' }
  | { readonly type: 'ended' }
  // From the auth service.
  | { readonly type: 'admitted' }
  | { readonly type: 'wanted'; readonly version: LabelsVersion }
  /** Nothing can be said of what it should have. */
  | { readonly type: 'keep' }
  /** What the agent has is to be said to it once more: it keeps the auth service's word for it. */
  | { readonly type: 'renew' }
  | { readonly type: 'tick' }
  | {
      readonly type: 'close';
      readonly reason: Exclude<CloseReason, 'ended'>;
      readonly message: string;
      readonly reconnectAfterMs?: number | undefined;
    };

export type ReconcileCause = 'hello' | 'heartbeat' | 'newer' | 'retry';

export type AuthSessionEffect =
  | { readonly type: 'admit' }
  | { readonly type: 'send-hello' }
  | {
      readonly type: 'send-update';
      readonly nonce: string;
      readonly kind: UpdateKind;
      readonly version: LabelsVersion;
    }
  | { readonly type: 'send-ping'; readonly nonce: string }
  /** Look up what the agent should have; a `wanted` or `keep` event answers. */
  | { readonly type: 'reconcile'; readonly cause: ReconcileCause }
  | { readonly type: 'acked'; readonly sending: Sending }
  | { readonly type: 'nacked'; readonly sending: Sending; readonly reason: string }
  /** An answer to something else than the latest send; it changes nothing. */
  | { readonly type: 'stale'; readonly answer: 'ack' | 'nack' | 'pong' }
  | {
      readonly type: 'close';
      readonly reason: CloseReason;
      readonly message: string;
      readonly reconnectAfterMs: number | undefined;
    };

export interface AuthSessionStep {
  readonly state: AuthSessionState;
  readonly effects: readonly AuthSessionEffect[];
}

/** All in milliseconds but `maxSends`. */
export interface AuthSessionSettings {
  /** From the stream's start to the hello. */
  readonly helloTimeoutMs: number;
  /** From an update to its answer; doubles with each further send of it. */
  readonly ackTimeoutMs: number;
  /** An agent that answers none of so many sends is cut off. */
  readonly maxSends: number;
  /** From a refusal to the next try of the same update; doubles up to the maximum. */
  readonly refusedRetryMs: number;
  readonly refusedRetryMaxMs: number;
  /** Silence, either way, before a ping. */
  readonly pingIntervalMs: number;
  /** From a ping to any sign of life. */
  readonly pongTimeoutMs: number;
  /** How far the agent's word on when its labels end may be from the auth service's. */
  readonly heldToleranceMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * 10,000 idle agents make 10,000 / 60 s = 167 pings a second; a half-open connection is found within
 * 60 + 20 s. Three sends take 10 + 20 + 40 s, then the agent is cut off.
 */
export const DEFAULT_AUTH_SESSION_SETTINGS: AuthSessionSettings = {
  helloTimeoutMs: 10 * SECOND,
  ackTimeoutMs: 10 * SECOND,
  maxSends: 3,
  refusedRetryMs: MINUTE,
  refusedRetryMaxMs: 15 * MINUTE,
  pingIntervalMs: MINUTE,
  pongTimeoutMs: 20 * SECOND,
  heldToleranceMs: MINUTE,
};
