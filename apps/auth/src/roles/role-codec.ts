import type { AccessRole, AccessRule, StoredRole } from '@tagplane/access';
import type { Entry, Found } from '@tagplane/store';
import { z } from 'zod';

export const ROLE_PREFIX = 'role/';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether a role could have this name; other text is not worth asking the store for. */
export function isRoleName(name: string): boolean {
  return NAME.test(name);
}

export function roleKey(name: string): string {
  return ROLE_PREFIX + name;
}

/** A stored value that is no role of a version known here. */
export class RoleDecodeError extends Error {
  override readonly name = 'RoleDecodeError';
}

const VERSION = 1;

const ruleField = z.strictObject({
  logins: z.array(z.string()),
  node_labels: z.array(z.strictObject({ key: z.string(), values: z.array(z.string()) })),
});

/**
 * Strict: a member that only a newer version knows may be a condition, and to leave it out would widen
 * access.
 */
const roleField = z.strictObject({
  version: z.literal(VERSION),
  description: z.string(),
  max_label_age_ms: z.number().optional(),
  allow: z.array(ruleField),
  deny: z.array(ruleField),
  updated_by: z.string(),
  updated_at: z.int(),
});

/** The value for the store, under `role/NAME`: one JSON object. */
export function encodeRole(role: Omit<StoredRole, 'revision'>): string {
  const { description, maxLabelAgeMs, allow, deny, updatedBy, updatedAt } = role;
  const value: z.input<typeof roleField> = {
    version: VERSION,
    description,
    ...(maxLabelAgeMs === undefined ? {} : { max_label_age_ms: maxLabelAgeMs }),
    allow: allow.map(encodedRule),
    deny: deny.map(encodedRule),
    updated_by: updatedBy,
    updated_at: updatedAt,
  };
  return JSON.stringify(value);
}

/** @throws RoleDecodeError */
export function decodeRole(entry: Pick<Entry, 'key' | 'value' | 'revision'>): StoredRole {
  const name = entry.key.slice(ROLE_PREFIX.length);
  const { data } = roleField.safeParse(parsed(name, entry.value));
  if (data === undefined) throw unreadable(name, 'not of a version known here');
  return {
    name,
    description: data.description,
    allow: data.allow.map(decodedRule),
    deny: data.deny.map(decodedRule),
    maxLabelAgeMs: data.max_label_age_ms,
    revision: entry.revision,
    updatedBy: data.updated_by,
    updatedAt: data.updated_at,
  };
}

/** The role that a store has of this name, if this version can read it. */
export function foundRole(found: Found | undefined): StoredRole | undefined {
  if (found?.state !== 'live') return undefined;
  try {
    return decodeRole(found);
  } catch (error) {
    if (error instanceof RoleDecodeError) return undefined;
    throw error;
  }
}

/** What agents are sent of it: nothing of who wrote it. */
export function accessRoleOf(role: StoredRole): AccessRole {
  const { name, description, allow, deny, maxLabelAgeMs } = role;
  return { name, description, allow, deny, maxLabelAgeMs };
}

function encodedRule({ logins, nodeLabels }: AccessRule): z.input<typeof ruleField> {
  return {
    logins: [...logins],
    node_labels: nodeLabels.terms.map(({ key, values }) => ({ key, values: [...values] })),
  };
}

function decodedRule({ logins, node_labels: terms }: z.output<typeof ruleField>): AccessRule {
  return { logins, nodeLabels: { terms } };
}

function parsed(name: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw unreadable(name, 'not JSON');
  }
}

function unreadable(name: string, problem: string): RoleDecodeError {
  return new RoleDecodeError(`the stored role ${JSON.stringify(name)} cannot be read: ${problem}`);
}
