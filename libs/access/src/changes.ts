import { byName, roleContent } from './revision.ts';
import type { AccessRole } from './role.ts';

/** What makes one set of roles of another. */
export interface RoleChanges {
  /** New ones, and those whose content changed; ordered by name. */
  readonly put: readonly AccessRole[];
  /** Names; ordered. */
  readonly removed: readonly string[];
}

/** `applyRoleChanges(base, diffRoles(base, next))` has the content of `next`. */
export function diffRoles(base: readonly AccessRole[], next: readonly AccessRole[]): RoleChanges {
  const before = new Map(base.map((role) => [role.name, role]));
  const after = new Set(next.map(({ name }) => name));
  return {
    put: byName(next.filter((role) => !isSame(before.get(role.name), role))),
    removed: byName(base.filter(({ name }) => !after.has(name))).map(({ name }) => name),
  };
}

/** The roles after the changes, ordered by name. A removed name that is not there is no error. */
export function applyRoleChanges(base: readonly AccessRole[], { put, removed }: RoleChanges): AccessRole[] {
  const roles = new Map(base.map((role) => [role.name, role]));
  for (const name of removed) roles.delete(name);
  for (const role of put) roles.set(role.name, role);
  return byName([...roles.values()]);
}

function isSame(a: AccessRole | undefined, b: AccessRole): boolean {
  return a === b || (a !== undefined && roleContent(a) === roleContent(b));
}
