export { elapsedMs, type ClockReading } from './agent-clock.ts';
export {
  freshness,
  heldAgeMs,
  heldRemainingMs,
  isStale,
  rebase,
  type HeldLabels,
  type HeldLifetime,
  type HeldSet,
} from './agent-labels.ts';
export { reconnectDelayMs, type ReconnectPolicy, type StreamEnd } from './agent-reconnect.ts';
export { dueAt, nextAgentSession, startAgentSession } from './agent-session.ts';
export type {
  AgentContext,
  AgentEffect,
  AgentEvent,
  AgentMessage,
  AgentSession,
  AgentStep,
  AuthMessage,
  StreamLimits,
} from './agent-model.ts';
export { planUpdate, type OfferedSet, type OfferedUpdate, type UpdatePlan } from './agent-update.ts';
