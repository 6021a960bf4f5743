import { hash } from 'node:crypto';
import type { AccessRole, AccessRule } from './role.ts';

/**
 * Names roles by their content, without what the store adds: equal roles in any order have equal revisions, on
 * every process. 128 bits of SHA-256 as 32 hexadecimal digits; of no roles the empty string.
 */
export function rolesRevision(roles: readonly AccessRole[]): string {
  if (roles.length === 0) return '';
  return hash('sha256', byName(roles).map(roleContent).join('\n'), 'hex').slice(0, 32);
}

/** A role's content as one line: equal contents, and no others, have equal texts. */
export function roleContent({ name, description, maxLabelAgeMs, allow, deny }: AccessRole): string {
  return JSON.stringify([name, description, maxLabelAgeMs ?? null, allow.map(rule), deny.map(rule)]);
}

function rule({ logins, nodeLabels }: AccessRule): unknown {
  return [logins, nodeLabels.terms.map(({ key, values }) => [key, values])];
}

/** In the one order of roles: by name, by UTF-16 code unit. */
export function byName<Role extends AccessRole>(roles: readonly Role[]): Role[] {
  return roles.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
