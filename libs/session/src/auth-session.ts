import { onAck, onNack, onPong } from './auth-answers.ts';
import { confirms, difference, heldByWord } from './auth-difference.ts';
import { livenessDueAt, livenessVerdict, spoke } from './auth-liveness.ts';
import { DEFAULT_AUTH_SESSION_SETTINGS } from './auth-session-state.ts';
import type {
  AuthSessionEvent,
  AuthSessionSettings,
  AuthSessionState,
  AuthSessionStep,
  HeldClaim,
  SyncPhase,
  Tries,
} from './auth-session-state.ts';
import { NO_TRIES, close, listen, nonceOf, send, settle, stay, step } from './auth-step.ts';
import type { LabelsVersion } from './lifetimes.ts';

/** A stream that was just opened. */
export function openAuthSession(
  now: number,
  settings: AuthSessionSettings = DEFAULT_AUTH_SESSION_SETTINGS,
): AuthSessionState {
  return {
    sync: { phase: 'awaiting-hello', deadline: now + settings.helloTimeoutMs },
    liveness: { heardAt: now, spokeAt: now, ping: undefined },
    sends: 0,
  };
}

/**
 * The next state of the auth service's end of a control stream, and what to do about it, in order. At
 * most one update is on its way at a time: a slow agent gets only the latest set. Unchanged state is not
 * sent again.
 *
 * @param now Unix milliseconds of this process
 */
export function nextAuthSession(
  state: AuthSessionState,
  event: AuthSessionEvent,
  now: number,
  settings: AuthSessionSettings = DEFAULT_AUTH_SESSION_SETTINGS,
): AuthSessionStep {
  if (state.sync.phase === 'closed') return stay(state);
  switch (event.type) {
    case 'hello':
      return onHello(listen(state, now), event.held, now);
    case 'heartbeat':
      return onHeartbeat(listen(state, now), event, now, settings);
    case 'ack':
      return onAck(listen(state, now), event.nonce);
    case 'nack':
      return onNack(listen(state, now), event, now, settings);
    case 'pong':
      return onPong(state, event.nonce, now);
    case 'unknown':
      return stay(listen(state, now));
    case 'ended':
      return close(state, 'ended', 'the stream ended');
    case 'admitted':
      return onAdmitted(state, now);
    case 'wanted':
      return onWanted(state, event.version, now, settings);
    case 'keep':
      return onKeep(state);
    case 'renew':
      return onRenew(state);
    case 'tick':
      return onTick(state, now, settings);
    case 'close':
      return close(state, event.reason, event.message, event.reconnectAfterMs);
  }
}

/** When the next `tick` is due; ticks before it change nothing. */
export function authSessionDueAt(
  state: AuthSessionState,
  settings: AuthSessionSettings = DEFAULT_AUTH_SESSION_SETTINGS,
): number {
  const { sync } = state;
  switch (sync.phase) {
    case 'closed':
    case 'admitting':
      return Infinity;
    case 'awaiting-hello':
      return sync.deadline;
    case 'awaiting-ack':
      return Math.min(sync.deadline, livenessDueAt(state.liveness, settings));
    case 'backing-off':
      return Math.min(sync.retryAt, livenessDueAt(state.liveness, settings));
    case 'undecided':
    case 'overdue':
    case 'synced':
      return livenessDueAt(state.liveness, settings);
  }
}

function onHello(state: AuthSessionState, claim: HeldClaim, now: number): AuthSessionStep {
  if (state.sync.phase !== 'awaiting-hello') return close(state, 'refused', 'a second hello on one stream');
  const held = heldByWord(claim, now);
  return step({ ...state, sync: { phase: 'admitting', held } }, { type: 'admit' });
}

function onAdmitted(state: AuthSessionState, now: number): AuthSessionStep {
  if (state.sync.phase !== 'admitting') return stay(state);
  const sync: SyncPhase = { phase: 'undecided', held: state.sync.held, tries: NO_TRIES };
  return step(
    { ...state, sync, liveness: spoke(state.liveness, now) },
    { type: 'send-hello' },
    { type: 'reconcile', cause: 'hello' },
  );
}

function onHeartbeat(
  state: AuthSessionState,
  event: Extract<AuthSessionEvent, { type: 'heartbeat' }>,
  now: number,
  settings: AuthSessionSettings,
): AuthSessionStep {
  const { sync } = state;
  const again = event.changed ? [{ type: 'reconcile', cause: 'heartbeat' } as const] : [];
  switch (sync.phase) {
    case 'awaiting-hello':
      return close(state, 'refused', 'the first message on a stream is the hello');
    case 'admitting':
      return stay({ ...state, sync: { ...sync, held: heldByWord(event.held, now) } });
    case 'undecided':
    case 'backing-off':
      return step({ ...state, sync: { ...sync, held: heldByWord(event.held, now) } }, ...again);
    case 'synced':
      if (confirms(event.held, sync.version, now, settings.heldToleranceMs)) return step(state, ...again);
      return step(
        { ...state, sync: { phase: 'undecided', held: heldByWord(event.held, now), tries: NO_TRIES } },
        { type: 'reconcile', cause: 'heartbeat' },
      );
    // It may have been written before the update came; the answer to the update will say.
    case 'awaiting-ack':
    case 'overdue':
      return step(state, ...again);
    case 'closed':
      return stay(state);
  }
}

function onWanted(
  state: AuthSessionState,
  version: LabelsVersion,
  now: number,
  settings: AuthSessionSettings,
): AuthSessionStep {
  const { sync } = state;
  switch (sync.phase) {
    case 'undecided':
      return settle(state, sync.held, version, { now, settings, tries: sync.tries });
    case 'synced':
      return settle(state, { known: 'exactly', version: sync.version }, version, {
        now,
        settings,
        tries: NO_TRIES,
      });
    case 'backing-off':
      if (sync.refused.revision === version.revision) return stay(state);
      return settle(state, sync.held, version, { now, settings, tries: NO_TRIES });
    case 'awaiting-ack': {
      const kind = difference({ known: 'exactly', version: sync.sending.version }, version, now, 0);
      const sending = { ...sync.sending, newer: kind !== 'nothing' };
      return stay({ ...state, sync: { ...sync, sending } });
    }
    case 'overdue':
      return send(state, 'replace', version, { now, settings, tries: unanswered(sync.sending.tries) });
    case 'awaiting-hello':
    case 'admitting':
    case 'closed':
      return stay(state);
  }
}

function onKeep(state: AuthSessionState): AuthSessionStep {
  if (state.sync.phase !== 'overdue') return stay(state);
  const tries = unanswered(state.sync.sending.tries);
  return stay({ ...state, sync: { phase: 'undecided', held: { known: 'not' }, tries } });
}

function onRenew(state: AuthSessionState): AuthSessionStep {
  if (state.sync.phase !== 'synced') return stay(state);
  const { revision } = state.sync.version;
  // As if it had said that its labels end now: what follows says for how long they do count.
  const sync: SyncPhase = {
    phase: 'undecided',
    held: { known: 'by-word', revision, expiresAt: 0 },
    tries: NO_TRIES,
  };
  return step({ ...state, sync }, { type: 'reconcile', cause: 'newer' });
}

function unanswered(tries: Tries): Tries {
  return { unanswered: tries.unanswered + 1, refused: tries.refused };
}

function onTick(state: AuthSessionState, now: number, settings: AuthSessionSettings): AuthSessionStep {
  const { sync } = state;
  if (sync.phase === 'awaiting-hello') {
    return now < sync.deadline ? stay(state) : close(state, 'unresponsive', 'no hello in time');
  }
  if (sync.phase === 'admitting') return stay(state);
  if (sync.phase === 'awaiting-ack' && now >= sync.deadline) {
    if (sync.sending.tries.unanswered + 1 >= settings.maxSends) {
      return close(state, 'unresponsive', 'label updates stay unanswered');
    }
    const next: AuthSessionState = { ...state, sync: { phase: 'overdue', sending: sync.sending } };
    return step(next, { type: 'reconcile', cause: 'retry' });
  }
  if (sync.phase === 'backing-off' && now >= sync.retryAt) {
    const { held, tries } = sync;
    return step(
      { ...state, sync: { phase: 'undecided', held, tries } },
      { type: 'reconcile', cause: 'retry' },
    );
  }
  return checkLiveness(state, now, settings);
}

function checkLiveness(state: AuthSessionState, now: number, settings: AuthSessionSettings): AuthSessionStep {
  switch (livenessVerdict(state.liveness, now, settings)) {
    case 'fine':
      return stay(state);
    case 'dead':
      return close(state, 'unresponsive', 'a ping stayed unanswered');
    case 'ping': {
      const nonce = nonceOf(state);
      const liveness = { ...spoke(state.liveness, now), ping: { nonce, sentAt: now } };
      return step({ ...state, liveness, sends: state.sends + 1 }, { type: 'send-ping', nonce });
    }
  }
}
