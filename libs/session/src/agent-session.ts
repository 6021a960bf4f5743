import type {
  AgentContext,
  AgentEvent,
  AgentMessage,
  AgentSession,
  AgentStep,
  AuthMessage,
  StreamLimits,
} from './agent-model.ts';
import { reconnectDelayMs } from './agent-reconnect.ts';
import type { StreamEnd } from './agent-reconnect.ts';

/** A stream that was asked to end gets this long for its goodbye: well under a service's stop time. */
const LEAVE_MS = 1_500;
/** ± share by which heartbeats of agents that connected together drift apart. */
const HEARTBEAT_JITTER = 0.1;

/** Where every agent begins: due at once, at an address of its own choice, so that agents spread. */
export function startAgentSession({ now, random, policy }: AgentContext): AgentSession {
  return { phase: 'waiting', address: Math.floor(random() * policy.addresses), failures: 0, until: now };
}

/** When the next `due` event is wanted; undefined when none is. */
export function dueAt(state: AgentSession): number | undefined {
  switch (state.phase) {
    case 'waiting':
    case 'greeting':
    case 'leaving':
      return state.until;
    case 'open':
      return Math.min(state.heartbeatAt, state.heardAt + (state.limits.idleMs ?? Infinity));
    case 'stopped':
      return undefined;
  }
}

/** The state after this event, and what is to be done, in this order. */
export function nextAgentSession(state: AgentSession, event: AgentEvent, context: AgentContext): AgentStep {
  if (event.kind === 'stop') return onStop(state, event.reason, context);
  switch (state.phase) {
    case 'waiting':
      return onWaiting(state, event, context);
    case 'greeting':
      return onGreeting(state, event, context);
    case 'open':
      return onOpen(state, event, context);
    case 'leaving':
      if (event.kind === 'ended' || (event.kind === 'due' && context.now >= state.until)) {
        return { state: { phase: 'stopped' }, effects: [{ do: 'close', reason: 'stopped', refused: false }] };
      }
      return stay(state);
    case 'stopped':
      return stay(state);
  }
}

type Phase<Name extends AgentSession['phase']> = Extract<AgentSession, { phase: Name }>;

function onStop(state: AgentSession, reason: string, context: AgentContext): AgentStep {
  switch (state.phase) {
    case 'open':
      return {
        state: { phase: 'leaving', until: context.now + LEAVE_MS },
        effects: [{ do: 'send', message: { kind: 'goodbye', reason } }],
      };
    case 'greeting':
      return { state: { phase: 'stopped' }, effects: [{ do: 'close', reason: 'stopped', refused: false }] };
    case 'waiting':
      return { state: { phase: 'stopped' }, effects: [] };
    case 'leaving':
    case 'stopped':
      return stay(state);
  }
}

function onWaiting(state: Phase<'waiting'>, event: AgentEvent, context: AgentContext): AgentStep {
  // Whatever it waited for was of the identity before.
  if (event.kind === 'reidentified') return stay({ ...state, failures: 0, until: context.now });
  if (event.kind !== 'due' || context.now < state.until) return stay(state);
  const { address, failures } = state;
  return {
    state: { phase: 'greeting', address, failures, until: context.now + context.policy.helloTimeoutMs },
    effects: [{ do: 'open', address }],
  };
}

function onGreeting(state: Phase<'greeting'>, event: AgentEvent, context: AgentContext): AgentStep {
  switch (event.kind) {
    case 'due':
      if (context.now < state.until) return stay(state);
      return leave(state, { kind: 'lost' }, 'no hello from the auth service in time', context);
    case 'ended':
      return leave(state, event.end, event.reason, context);
    case 'reidentified':
      return restart(state, context.now);
    case 'received':
      return greeted(state, event.message, context);
    case 'applied':
    case 'roles-applied':
    case 'changed':
      return stay(state);
    case 'stop':
      return onStop(state, event.reason, context);
  }
}

function greeted(state: Phase<'greeting'>, message: AuthMessage, context: AgentContext): AgentStep {
  switch (message.kind) {
    case 'hello': {
      const { now } = context;
      const { authId, limits } = message;
      const heartbeatAt = now + heartbeatDelay(limits, context.random);
      const { address } = state;
      return stay({ phase: 'open', address, authId, since: now, limits, heardAt: now, heartbeatAt });
    }
    case 'goodbye':
      return leave(state, message.end, message.reason, context);
    case 'trust-changed':
    case 'unknown':
      return stay(state);
    case 'update':
    case 'update-roles':
    case 'ping':
      return leave(state, { kind: 'lost' }, 'the auth service spoke before its hello', context);
  }
}

function onOpen(state: Phase<'open'>, event: AgentEvent, context: AgentContext): AgentStep {
  switch (event.kind) {
    case 'due':
      return onDue(state, context);
    case 'received':
      return onMessage({ ...state, heardAt: context.now }, event.message, context);
    case 'applied':
    case 'roles-applied':
      return { state, effects: [{ do: 'send', message: answerTo(event) }] };
    case 'changed':
      return heartbeat(state, context);
    case 'ended':
      return leave(state, event.end, event.reason, context);
    case 'reidentified':
      return restart(state, context.now);
    case 'stop':
      return onStop(state, event.reason, context);
  }
}

function onDue(state: Phase<'open'>, context: AgentContext): AgentStep {
  const { idleMs } = state.limits;
  if (idleMs !== undefined && context.now >= state.heardAt + idleMs) {
    return leave(state, { kind: 'lost' }, 'nothing heard from the auth service for too long', context);
  }
  return context.now < state.heartbeatAt ? stay(state) : heartbeat(state, context);
}

function onMessage(state: Phase<'open'>, message: AuthMessage, context: AgentContext): AgentStep {
  switch (message.kind) {
    case 'update':
      return { state, effects: [{ do: 'apply', update: message.update }] };
    case 'update-roles':
      return { state, effects: [{ do: 'apply-roles', update: message.update }] };
    case 'ping':
      return { state, effects: [{ do: 'send', message: { kind: 'pong', nonce: message.nonce } }] };
    case 'goodbye':
      return leave(state, message.end, message.reason, context);
    case 'hello':
    case 'trust-changed':
    case 'unknown':
      return stay(state);
  }
}

function answerTo(event: Extract<AgentEvent, { kind: 'applied' | 'roles-applied' }>): AgentMessage {
  const { nonce, problem } = event;
  if (event.kind === 'roles-applied') {
    return problem === undefined
      ? { kind: 'roles-ack', nonce }
      : { kind: 'roles-nack', nonce, reason: problem };
  }
  return problem === undefined ? { kind: 'ack', nonce } : { kind: 'nack', nonce, reason: problem };
}

function heartbeat(state: Phase<'open'>, { now, random }: AgentContext): AgentStep {
  return {
    state: { ...state, heartbeatAt: now + heartbeatDelay(state.limits, random) },
    effects: [{ do: 'send', message: { kind: 'heartbeat' } }],
  };
}

function heartbeatDelay(limits: StreamLimits, random: () => number): number {
  return limits.heartbeatMs * (1 - HEARTBEAT_JITTER + 2 * HEARTBEAT_JITTER * random());
}

/** Drops the stream and waits, to try the next address. */
function leave(
  state: Phase<'greeting'> | Phase<'open'>,
  end: StreamEnd,
  reason: string,
  { now, random, policy }: AgentContext,
): AgentStep {
  const failures = state.phase === 'open' ? 0 : state.failures;
  return {
    state: {
      phase: 'waiting',
      address: (state.address + 1) % policy.addresses,
      failures: failures + 1,
      until: now + reconnectDelayMs(end, failures, policy, random),
    },
    effects: [{ do: 'close', reason, refused: end.kind === 'refused' }],
  };
}

function restart(state: Phase<'greeting'> | Phase<'open'>, now: number): AgentStep {
  return {
    state: { phase: 'waiting', address: state.address, failures: 0, until: now },
    effects: [{ do: 'close', reason: 'another identity', refused: false }],
  };
}

function stay(state: AgentSession): AgentStep {
  return { state, effects: [] };
}
