import { NO_TRIES, close, listen, stay, step } from './auth-step.ts';
import type {
  AuthSessionEffect,
  AuthSessionEvent,
  AuthSessionSettings,
  AuthSessionState,
  AuthSessionStep,
  Sending,
  SyncPhase,
} from './auth-session-state.ts';

export function onAck(state: AuthSessionState, nonce: string): AuthSessionStep {
  const sending = answered(state, nonce);
  if (sending === undefined) return unexpected(state, 'ack');
  const next: AuthSessionState = { ...state, sync: { phase: 'synced', version: sending.version } };
  const acked: AuthSessionEffect = { type: 'acked', sending };
  return sending.newer ? step(next, acked, { type: 'reconcile', cause: 'newer' }) : step(next, acked);
}

export function onNack(
  state: AuthSessionState,
  event: Extract<AuthSessionEvent, { type: 'nack' }>,
  now: number,
  settings: AuthSessionSettings,
): AuthSessionStep {
  const sending = answered(state, event.nonce);
  if (sending === undefined) return unexpected(state, 'nack');
  const nacked: AuthSessionEffect = { type: 'nacked', sending, reason: event.reason };
  // A refused renewal means that the agent does not hold what it acknowledged: the whole set is due.
  if (sending.newer || sending.kind === 'renew') {
    const sync: SyncPhase = { phase: 'undecided', held: { known: 'not' }, tries: NO_TRIES };
    return step({ ...state, sync }, nacked, { type: 'reconcile', cause: 'newer' });
  }
  const backoff = Math.min(settings.refusedRetryMaxMs, settings.refusedRetryMs * 2 ** sending.tries.refused);
  const sync: SyncPhase = {
    phase: 'backing-off',
    held: { known: 'not' },
    refused: sending.version,
    reason: event.reason,
    tries: { unanswered: 0, refused: sending.tries.refused + 1 },
    retryAt: now + backoff,
  };
  return step({ ...state, sync }, nacked);
}

export function onPong(state: AuthSessionState, nonce: string, now: number): AuthSessionStep {
  const next = listen(state, now);
  if (state.sync.phase === 'awaiting-hello') return unexpected(next, 'pong');
  return nonce === state.liveness.ping?.nonce ? stay(next) : step(next, { type: 'stale', answer: 'pong' });
}

function answered(state: AuthSessionState, nonce: string): Sending | undefined {
  const { sync } = state;
  const waiting = sync.phase === 'awaiting-ack' || sync.phase === 'overdue';
  return waiting && sync.sending.nonce === nonce ? sync.sending : undefined;
}

function unexpected(state: AuthSessionState, answer: 'ack' | 'nack' | 'pong'): AuthSessionStep {
  if (state.sync.phase === 'awaiting-hello') {
    return close(state, 'refused', 'the first message on a stream is the hello');
  }
  return step(state, { type: 'stale', answer });
}
