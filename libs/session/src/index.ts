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
export { OPEN_AUTH_ROLES, authRolesDueAt, nextAuthRoles, type RolesContext } from './auth-roles.ts';
export {
  ROLES_LIFE_MS,
  type AuthRolesEffect,
  type AuthRolesEvent,
  type AuthRolesState,
  type AuthRolesStep,
  type HeldRolesClaim,
  type RolesChange,
  type RolesPhase,
  type SendingRoles,
} from './auth-roles-state.ts';
export {
  planRolesUpdate,
  rebaseRoles,
  rolesAreFresh,
  rolesRemainingMs,
  type HeldRoles,
  type OfferedRoles,
  type RolesPlan,
} from './agent-roles.ts';
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
export {
  NOT_ASSIGNED,
  assignedLabels,
  selectableLabels,
  type AssignedBy,
  type AssignedLabels,
  type AssignedSource,
  type Assignments,
  type LabelSource,
  type Layer,
  type SelectedSource,
} from './assigned-labels.ts';
export { labelStories, type LabelStory, type OverruledWord, type Speaker } from './label-stories.ts';
export { planUpdate, type OfferedSet, type OfferedUpdate, type UpdatePlan } from './agent-update.ts';
export {
  DEFAULT_AUTH_SESSION_SETTINGS,
  type AuthSessionEffect,
  type AuthSessionEvent,
  type AuthSessionSettings,
  type AuthSessionState,
  type AuthSessionStep,
  type CloseReason,
  type HeldClaim,
  type ReconcileCause,
  type Sending,
  type UpdateKind,
} from './auth-session-state.ts';
export { holdsNow, type Holds } from './auth-difference.ts';
export { TRUST_UNKNOWN, trustIsDue, type TrustView } from './auth-trust.ts';
export { authSessionDueAt, nextAuthSession, openAuthSession } from './auth-session.ts';
export { NOTHING, NO_SPANS, type LabelsVersion, type Span, type Spans } from './lifetimes.ts';
export {
  nodeLabels,
  versionOf,
  wantedLabels,
  type Discovered,
  type HeldAws,
  type LabelSets,
  type NodeLabelsInput,
  type Wanted,
  type WantedInput,
} from './wanted-labels.ts';
