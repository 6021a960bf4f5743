import { ROLES_LIFE_MS, ROLES_RENEW_LEFT_MS, ROLES_RENEW_SPREAD_MS } from './auth-roles-state.ts';
import type {
  AuthRolesEffect,
  AuthRolesEvent,
  AuthRolesState,
  AuthRolesStep,
  HeldRolesClaim,
  HeldRolesView,
  RolesChange,
  RolesTries,
  SendingRoles,
} from './auth-roles-state.ts';
import type { AuthSessionSettings } from './auth-session-state.ts';

type Wanted = Extract<AuthRolesEvent, { type: 'wanted' }>;

/** All that a step needs beside state and event. */
export interface RolesContext {
  /** Unix milliseconds of this process. */
  readonly now: number;
  readonly settings: AuthSessionSettings;
  /** At least 0 and less than 1, the same for all of a stream: when within the spread it is renewed. */
  readonly spread: number;
}

/** A stream that was just opened. */
export const OPEN_AUTH_ROLES: AuthRolesState = { sync: { phase: 'off' }, sends: 0 };

const NO_TRIES: RolesTries = { unanswered: 0, refused: 0 };
const UNKNOWN: HeldRolesView = { known: 'not' };

/**
 * The next state of the roles on a control stream, and what to do about it, in order. By the rules of
 * labels: one update on its way at a time, only what differs, an answer to another send changes nothing,
 * and what the agent has is not sent again.
 */
export function nextAuthRoles(
  state: AuthRolesState,
  event: AuthRolesEvent,
  context: RolesContext,
): AuthRolesStep {
  switch (event.type) {
    case 'hello':
      if (!event.decides || state.sync.phase !== 'off') return stay(state);
      return ask(state, heldBy(event.held, context.now), NO_TRIES);
    case 'heartbeat':
      return onHeartbeat(state, event.held, context);
    case 'ack':
      return onAck(state, event.nonce);
    case 'nack':
      return onNack(state, event, context);
    case 'wanted':
      return onWanted(state, event, context);
    case 'renew': {
      const { sync } = state;
      if (sync.phase !== 'synced' || sync.revision === '') return stay(state);
      return ask(state, { known: 'yes', revision: sync.revision, expiresAt: context.now }, NO_TRIES);
    }
    case 'tick':
      return onTick(state, context);
  }
}

/** When the next `tick` is due; ticks before it change nothing. */
export function authRolesDueAt({ sync }: AuthRolesState, spread: number): number {
  switch (sync.phase) {
    case 'off':
    case 'undecided':
      return Infinity;
    case 'awaiting-ack':
      return sync.deadline;
    case 'backing-off':
      return sync.retryAt;
    case 'synced':
      return sync.expiresAt === undefined ? Infinity : renewAt(sync.expiresAt, spread);
  }
}

function renewAt(expiresAt: number, spread: number): number {
  return expiresAt - ROLES_RENEW_LEFT_MS + spread * ROLES_RENEW_SPREAD_MS;
}

function onHeartbeat(state: AuthRolesState, claim: HeldRolesClaim, context: RolesContext): AuthRolesStep {
  const { sync } = state;
  const held = heldBy(claim, context.now);
  if (sync.phase === 'undecided') return stay({ ...state, sync: { ...sync, held } });
  // While an update is on its way, it may have been written before that came: the answer will say.
  if (sync.phase !== 'synced' || confirms(held, sync, context.settings.heldToleranceMs)) return stay(state);
  return ask(state, held, NO_TRIES);
}

function onAck(state: AuthRolesState, nonce: string): AuthRolesStep {
  const sending = answered(state, nonce);
  if (sending === undefined) return { state, effects: [{ type: 'stale', answer: 'ack' }] };
  const { revision, sentAt, newer } = sending;
  const expiresAt = revision === '' ? undefined : sentAt + ROLES_LIFE_MS;
  const acked: AuthRolesEffect = { type: 'acked', sending };
  const next: AuthRolesState = { ...state, sync: { phase: 'synced', revision, expiresAt } };
  return { state: next, effects: newer ? [acked, { type: 'ask' }] : [acked] };
}

function onNack(
  state: AuthRolesState,
  { nonce, reason }: Extract<AuthRolesEvent, { type: 'nack' }>,
  { now, settings }: RolesContext,
): AuthRolesStep {
  const sending = answered(state, nonce);
  if (sending === undefined) return { state, effects: [{ type: 'stale', answer: 'nack' }] };
  const nacked: AuthRolesEffect = { type: 'nacked', sending, reason };
  // It does not hold what it said or acknowledged: the whole set is due.
  if (sending.newer || sending.change.kind !== 'replace') {
    const next = ask(state, UNKNOWN, NO_TRIES);
    return { state: next.state, effects: [nacked, ...next.effects] };
  }
  const { refused } = sending.tries;
  const backoff = Math.min(settings.refusedRetryMaxMs, settings.refusedRetryMs * 2 ** refused);
  const tries = { unanswered: 0, refused: refused + 1 };
  const sync = {
    phase: 'backing-off',
    refused: sending.revision,
    reason,
    tries,
    retryAt: now + backoff,
  } as const;
  return { state: { ...state, sync }, effects: [nacked] };
}

function onWanted(state: AuthRolesState, wanted: Wanted, context: RolesContext): AuthRolesStep {
  const { sync } = state;
  switch (sync.phase) {
    case 'off':
      return stay(state);
    case 'undecided':
      return settle(state, sync.held, wanted, sync.tries, context);
    case 'synced': {
      const held = { known: 'yes', revision: sync.revision, expiresAt: sync.expiresAt } as const;
      return sync.revision === wanted.revision ? stay(state) : settle(state, held, wanted, NO_TRIES, context);
    }
    case 'backing-off':
      if (sync.refused === wanted.revision) return stay(state);
      return send(state, { kind: 'replace' }, wanted.revision, NO_TRIES, context);
    case 'awaiting-ack': {
      const sending = { ...sync.sending, newer: sync.sending.revision !== wanted.revision };
      return stay({ ...state, sync: { ...sync, sending } });
    }
  }
}

function onTick(state: AuthRolesState, { now, settings, spread }: RolesContext): AuthRolesStep {
  const { sync } = state;
  if (now < authRolesDueAt(state, spread)) return stay(state);
  switch (sync.phase) {
    case 'off':
    case 'undecided':
      return stay(state);
    case 'awaiting-ack': {
      const { tries } = sync.sending;
      if (tries.unanswered + 1 >= settings.maxSends) return { state, effects: [{ type: 'unresponsive' }] };
      return ask(state, UNKNOWN, { ...tries, unanswered: tries.unanswered + 1 });
    }
    case 'backing-off':
      return ask(state, UNKNOWN, sync.tries);
    case 'synced':
      return ask(state, { known: 'yes', revision: sync.revision, expiresAt: sync.expiresAt }, NO_TRIES);
  }
}

/** Sends what the agent lacks, if anything. */
function settle(
  state: AuthRolesState,
  held: HeldRolesView,
  { revision, knows }: Wanted,
  tries: RolesTries,
  context: RolesContext,
): AuthRolesStep {
  if (held.known === 'not') return send(state, { kind: 'replace' }, revision, tries, context);
  if (held.revision !== revision) {
    const base = held.revision;
    const change: RolesChange = base !== '' && knows(base) ? { kind: 'apply', base } : { kind: 'replace' };
    return send(state, change, revision, tries, context);
  }
  const expiresAt = revision === '' ? undefined : (held.expiresAt ?? context.now);
  if (expiresAt === undefined || context.now < renewAt(expiresAt, context.spread)) {
    return stay({ ...state, sync: { phase: 'synced', revision, expiresAt } });
  }
  return send(state, { kind: 'renew' }, revision, tries, context);
}

function send(
  state: AuthRolesState,
  change: RolesChange,
  revision: string,
  tries: RolesTries,
  { now, settings }: RolesContext,
): AuthRolesStep {
  const sends = state.sends + 1;
  const nonce = `r${sends.toString(36)}`;
  const sending: SendingRoles = { nonce, revision, change, sentAt: now, tries, newer: false };
  const deadline = now + settings.ackTimeoutMs * 2 ** tries.unanswered;
  return {
    state: { sync: { phase: 'awaiting-ack', sending, deadline }, sends },
    effects: [{ type: 'send-roles', nonce, revision, change }],
  };
}

function ask(state: AuthRolesState, held: HeldRolesView, tries: RolesTries): AuthRolesStep {
  return { state: { ...state, sync: { phase: 'undecided', held, tries } }, effects: [{ type: 'ask' }] };
}

function answered({ sync }: AuthRolesState, nonce: string): SendingRoles | undefined {
  return sync.phase === 'awaiting-ack' && sync.sending.nonce === nonce ? sync.sending : undefined;
}

function heldBy(
  { revision, remainingMs }: HeldRolesClaim,
  now: number,
): Extract<HeldRolesView, { known: 'yes' }> {
  const expiresAt = revision === '' || remainingMs === undefined ? undefined : now + remainingMs;
  return { known: 'yes', revision, expiresAt };
}

/** Whether the agent's word is what it acknowledged; roles that it holds for longer are no matter. */
function confirms(
  held: Extract<HeldRolesView, { known: 'yes' }>,
  synced: { readonly revision: string; readonly expiresAt: number | undefined },
  toleranceMs: number,
): boolean {
  if (held.revision !== synced.revision) return false;
  if (synced.expiresAt === undefined) return true;
  return held.expiresAt !== undefined && held.expiresAt >= synced.expiresAt - toleranceMs;
}

function stay(state: AuthRolesState): AuthRolesStep {
  return { state, effects: [] };
}
