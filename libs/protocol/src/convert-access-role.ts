import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { AccessRole, AccessRule, StoredRole } from '@tagplane/access';
import { EVERY_NODE } from '@tagplane/labels';
import {
  optionalDurationMs,
  optionalTimestampMs,
  selectorFromMessage,
  selectorToMessage,
} from './convert.ts';
import type {
  AccessRole as AccessRoleMessage,
  AccessRule as AccessRuleMessage,
} from './gen/tagplane/v1/role_pb.ts';

/** What a writer sends, or an agent decides by: without revision and writer. */
export function accessRoleToMessage(role: AccessRole): AccessRoleMessage {
  return {
    $typeName: 'tagplane.v1.AccessRole',
    name: role.name,
    description: role.description,
    allow: role.allow.map(ruleToMessage),
    deny: role.deny.map(ruleToMessage),
    revision: 0n,
    updatedBy: '',
    ...(role.maxLabelAgeMs === undefined ? {} : { maxLabelAge: durationFromMs(role.maxLabelAgeMs) }),
  };
}

/** Its rules are as they came: what is wrong with them is `roleProblem`'s to say. */
export function accessRoleFromMessage(message: AccessRoleMessage): AccessRole {
  return {
    name: message.name,
    description: message.description,
    allow: message.allow.map((rule) => ruleFromMessage(rule, 'allow')),
    deny: message.deny.map((rule) => ruleFromMessage(rule, 'deny')),
    maxLabelAgeMs: optionalDurationMs(message.maxLabelAge),
  };
}

export function storedRoleToMessage(role: StoredRole): AccessRoleMessage {
  return {
    ...accessRoleToMessage(role),
    revision: BigInt(role.revision),
    updatedBy: role.updatedBy,
    updatedAt: timestampFromMs(role.updatedAt),
  };
}

export function storedRoleFromMessage(message: AccessRoleMessage): StoredRole {
  return {
    ...accessRoleFromMessage(message),
    revision: Number(message.revision),
    updatedBy: message.updatedBy,
    updatedAt: optionalTimestampMs(message.updatedAt) ?? 0,
  };
}

function ruleToMessage({ logins, nodeLabels }: AccessRule): AccessRuleMessage {
  return {
    $typeName: 'tagplane.v1.AccessRule',
    logins: [...logins],
    nodeLabels: selectorToMessage(nodeLabels),
  };
}

/** A rule whose selector is missing picks no node to allow, and every node to deny. */
function ruleFromMessage({ logins, nodeLabels }: AccessRuleMessage, kind: 'allow' | 'deny'): AccessRule {
  if (nodeLabels !== undefined) return { logins, nodeLabels: selectorFromMessage(nodeLabels) };
  return { logins, nodeLabels: kind === 'deny' ? EVERY_NODE : { terms: [] } };
}
