import { difference } from './auth-difference.ts';
import { heard, spoke } from './auth-liveness.ts';
import type {
  AuthSessionEffect,
  AuthSessionSettings,
  AuthSessionState,
  AuthSessionStep,
  CloseReason,
  Held,
  Sending,
  Tries,
  UpdateKind,
} from './auth-session-state.ts';
import type { LabelsVersion } from './lifetimes.ts';

export const NO_TRIES: Tries = { unanswered: 0, refused: 0 };

export interface SendContext {
  readonly now: number;
  readonly settings: AuthSessionSettings;
  readonly tries: Tries;
}

/** Sends what the agent lacks, if anything. */
export function settle(
  state: AuthSessionState,
  held: Held,
  version: LabelsVersion,
  context: SendContext,
): AuthSessionStep {
  const kind = difference(held, version, context.now, context.settings.heldToleranceMs);
  if (kind === 'nothing') {
    return stay(state.sync.phase === 'synced' ? state : { ...state, sync: { phase: 'synced', version } });
  }
  return send(state, kind, version, context);
}

export function send(
  state: AuthSessionState,
  kind: UpdateKind,
  version: LabelsVersion,
  { now, settings, tries }: SendContext,
): AuthSessionStep {
  const nonce = nonceOf(state);
  const sending: Sending = { nonce, kind, version, sentAt: now, tries, newer: false };
  const deadline = now + settings.ackTimeoutMs * 2 ** tries.unanswered;
  return step(
    {
      sync: { phase: 'awaiting-ack', sending, deadline },
      liveness: spoke(state.liveness, now),
      sends: state.sends + 1,
    },
    { type: 'send-update', nonce, kind, version },
  );
}

export function close(
  state: AuthSessionState,
  reason: CloseReason,
  message: string,
  reconnectAfterMs?: number,
): AuthSessionStep {
  const next: AuthSessionState = { ...state, sync: { phase: 'closed', reason } };
  return step(next, { type: 'close', reason, message, reconnectAfterMs });
}

export function listen(state: AuthSessionState, now: number): AuthSessionState {
  return { sync: state.sync, liveness: heard(state.liveness, now), sends: state.sends };
}

/** Unique on its stream, which is all that a nonce must be. */
export function nonceOf(state: AuthSessionState): string {
  return (state.sends + 1).toString(36);
}

const NO_EFFECTS: readonly AuthSessionEffect[] = [];

export function stay(state: AuthSessionState): AuthSessionStep {
  return { state, effects: NO_EFFECTS };
}

export function step(state: AuthSessionState, ...effects: readonly AuthSessionEffect[]): AuthSessionStep {
  return { state, effects };
}
