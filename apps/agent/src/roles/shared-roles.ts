import type { AccessRole } from '@tagplane/access';

/** What a fleet of one process holds at a time: a set, and those that some still have of before. */
const MAX_SHARED = 8;
const known = new Map<string, readonly AccessRole[]>();

/**
 * Equal roles as one list: the agents of one process are sent the same, and a set may have a mebibyte.
 *
 * @param revision names the content
 */
export function sharedRoles(revision: string, roles: readonly AccessRole[]): readonly AccessRole[] {
  const found = known.get(revision);
  if (found !== undefined) return found;
  const [oldest] = known.keys();
  if (known.size >= MAX_SHARED && oldest !== undefined) known.delete(oldest);
  known.set(revision, roles);
  return roles;
}
