import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import type { Duration } from '@bufbuild/protobuf/wkt';
import {
  ControlStreamRequestSchema,
  GoodbyeReason,
  HeartbeatSchema,
  accessRoleFromMessage,
  instanceToMessage,
  labelsFromMessage,
  labelsToMessage,
} from '@tagplane/protocol';
import type {
  AuthGoodbye,
  AuthHello,
  ControlStreamRequest,
  ControlStreamResponse,
  Heartbeat,
  LabelLifetime,
  UpdateLabels,
  UpdateRoles,
} from '@tagplane/protocol';
import { MINUTE, SECOND, VERSION } from '@tagplane/runtime';
import type {
  AgentMessage,
  AuthMessage,
  HeldLifetime,
  OfferedRoles,
  OfferedUpdate,
  StreamLimits,
} from '@tagplane/session';
import type { Report } from './report.ts';

/** DESIGN's cadence, when the auth service names none. */
const DEFAULT_HEARTBEAT_MS = 5 * MINUTE;
/** Ten thousand renewals a minute are 170 signatures a second. */
const DEFAULT_RENEW_WITHIN_MS = MINUTE;
/** Whatever an auth service asks for, an agent stays between these. */
const HEARTBEAT_BOUNDS_MS = [100, 60 * MINUTE] as const;
const MIN_IDLE_MS = SECOND;

/** @param decides whether the agent wants roles, to decide by them */
export function helloMessage(serverId: string, report: Report, decides: boolean): ControlStreamRequest {
  const value = { serverId, version: VERSION, heartbeat: heartbeatOf(report), decides, takesBatches: true };
  return create(ControlStreamRequestSchema, { message: { case: 'hello', value } });
}

/** @param report read only if the message is a heartbeat */
export function agentMessage(message: AgentMessage, report: () => Report): ControlStreamRequest {
  return create(ControlStreamRequestSchema, { message: memberOf(message, report) });
}

function memberOf(message: AgentMessage, report: () => Report) {
  switch (message.kind) {
    case 'heartbeat':
      return { case: 'heartbeat' as const, value: heartbeatOf(report()) };
    case 'ack':
      return { case: 'labelsAck' as const, value: { nonce: message.nonce } };
    case 'nack':
      return {
        case: 'labelsNack' as const,
        value: { nonce: message.nonce, reason: message.reason.slice(0, 1_024) },
      };
    case 'roles-ack':
      return { case: 'rolesAck' as const, value: { nonce: message.nonce } };
    case 'roles-nack':
      return {
        case: 'rolesNack' as const,
        value: { nonce: message.nonce, reason: message.reason.slice(0, 1_024) },
      };
    case 'pong':
      return { case: 'pong' as const, value: { nonce: message.nonce } };
    case 'goodbye':
      return { case: 'goodbye' as const, value: { reason: message.reason.slice(0, 1_024) } };
  }
}

function heartbeatOf(report: Report): Heartbeat {
  return create(HeartbeatSchema, {
    hostname: report.hostname,
    labels: labelsToMessage(report.ownLabels),
    importedLabels: labelsToMessage(report.importedLabels),
    ...(report.instance === undefined ? {} : { awsInstance: instanceToMessage(report.instance) }),
    heldRevision: report.heldRevision,
    trustGeneration: BigInt(report.trustGeneration),
    ...(report.heldRemainingMs === undefined
      ? {}
      : { heldRemaining: durationFromMs(Math.floor(report.heldRemainingMs)) }),
    heldRolesRevision: report.heldRolesRevision,
    ...(report.heldRolesRemainingMs === undefined
      ? {}
      : { heldRolesRemaining: durationFromMs(Math.floor(report.heldRolesRemainingMs)) }),
  });
}

export function authMessage({ message }: ControlStreamResponse): AuthMessage {
  switch (message.case) {
    case 'hello':
      return { kind: 'hello', authId: message.value.authId, limits: limitsOf(message.value) };
    case 'updateLabels':
      return { kind: 'update', update: updateOf(message.value) };
    case 'ping':
      return { kind: 'ping', nonce: message.value.nonce };
    case 'goodbye':
      return goodbyeOf(message.value);
    case 'trustChanged': {
      const { generation, within } = message.value;
      return {
        kind: 'trust-changed',
        generation: Number(generation),
        withinMs: optionalMs(within) ?? DEFAULT_RENEW_WITHIN_MS,
      };
    }
    case 'updateRoles':
      return { kind: 'update-roles', update: rolesOf(message.value) };
    case undefined:
      return { kind: 'unknown' };
  }
}

function limitsOf(hello: AuthHello): StreamLimits {
  const heartbeat = optionalMs(hello.heartbeatInterval) ?? DEFAULT_HEARTBEAT_MS;
  const idle = optionalMs(hello.idleTimeout);
  const [least, most] = HEARTBEAT_BOUNDS_MS;
  return {
    heartbeatMs: Math.min(most, Math.max(least, heartbeat)),
    idleMs: idle === undefined || idle <= 0 ? undefined : Math.max(MIN_IDLE_MS, idle),
  };
}

function goodbyeOf(goodbye: AuthGoodbye): AuthMessage {
  const refused = goodbye.reason === GoodbyeReason.SUPERSEDED || goodbye.reason === GoodbyeReason.REFUSED;
  const name =
    Object.entries(GoodbyeReason).find(([, value]) => value === goodbye.reason)?.[0] ?? goodbye.reason;
  return {
    kind: 'goodbye',
    end: { kind: refused ? 'refused' : 'sent-away', reconnectAfterMs: optionalMs(goodbye.reconnectAfter) },
    reason: `goodbye ${name}${goodbye.message === '' ? '' : `: ${goodbye.message}`}`,
  };
}

function updateOf(update: UpdateLabels): OfferedUpdate {
  return { nonce: update.nonce, revision: update.revision, change: changeOf(update.change) };
}

function changeOf(change: UpdateLabels['change']): OfferedUpdate['change'] {
  switch (change.case) {
    case 'replace':
      return {
        kind: 'replace',
        sets: change.value.sets.map((set) => ({
          ...lifetimeOf(set.lifetime),
          namespace: set.namespace,
          labels: labelsFromMessage(set.labels),
        })),
      };
    case 'renew':
      return {
        kind: 'renew',
        lifetimes: new Map(
          Object.entries(change.value.lifetimes).map(([namespace, lifetime]) => [
            namespace,
            lifetimeOf(lifetime),
          ]),
        ),
      };
    case undefined:
      return { kind: 'unknown' };
  }
}

function rolesOf({ nonce, revision, remaining, change }: UpdateRoles): OfferedRoles {
  return { nonce, revision, remainingMs: optionalMs(remaining), change: rolesChangeOf(change) };
}

function rolesChangeOf(change: UpdateRoles['change']): OfferedRoles['change'] {
  switch (change.case) {
    case 'replace':
      return { kind: 'replace', roles: change.value.roles.map(accessRoleFromMessage) };
    case 'apply': {
      const { baseRevision, put, removed } = change.value;
      return { kind: 'apply', baseRevision, put: put.map(accessRoleFromMessage), removed };
    }
    case 'renew':
      return { kind: 'renew' };
    case undefined:
      return { kind: 'unknown' };
  }
}

function lifetimeOf(lifetime: LabelLifetime | undefined): HeldLifetime {
  return { ageMs: optionalMs(lifetime?.age), remainingMs: optionalMs(lifetime?.remaining) };
}

function optionalMs(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration);
}
