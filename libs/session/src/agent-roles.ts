import { applyRoleChanges, rolesProblem, rolesRevision } from '@tagplane/access';
import type { AccessRole, RoleChanges } from '@tagplane/access';
import { elapsedMs } from './agent-clock.ts';
import type { ClockReading } from './agent-clock.ts';
import { ROLES_LIFE_MS } from './auth-roles-state.ts';

/** The roles that an agent holds from the auth service. */
export interface HeldRoles {
  /** `rolesRevision` of them. */
  readonly revision: string;
  /** Ordered by name. */
  readonly roles: readonly AccessRole[];
  /** Milliseconds until they stop counting, as of `asOf`. */
  readonly remainingMs: number;
  readonly asOf: ClockReading;
}

/** A roles update as it was received. */
export interface OfferedRoles {
  readonly nonce: string;
  readonly revision: string;
  /** Undefined: it does not say. */
  readonly remainingMs: number | undefined;
  readonly change:
    | { readonly kind: 'replace'; readonly roles: readonly AccessRole[] }
    | {
        readonly kind: 'apply';
        readonly baseRevision: string;
        readonly put: readonly AccessRole[];
        /** Names. */
        readonly removed: readonly string[];
      }
    | { readonly kind: 'renew' }
    /** A member that this version does not know. */
    | { readonly kind: 'unknown' };
}

/** What becomes of a roles update. The reason is for a person. */
export type RolesPlan =
  | { readonly kind: 'accept'; readonly held: HeldRoles }
  | { readonly kind: 'refuse'; readonly reason: string };

/** The same roles as of `now`; what remains never goes below 0. */
export function rebaseRoles(held: HeldRoles, now: ClockReading): HeldRoles {
  return { ...held, remainingMs: rolesRemainingMs(held, now), asOf: now };
}

/** Milliseconds until they stop counting; 0: they do not count. */
export function rolesRemainingMs(held: HeldRoles, now: ClockReading): number {
  return Math.max(0, held.remainingMs - elapsedMs(held.asOf, now));
}

/** Whether decisions may rest on them. */
export function rolesAreFresh(held: HeldRoles, now: ClockReading): boolean {
  return rolesRemainingMs(held, now) > 0;
}

/**
 * What an agent should hold after this update: all of it, or what it held before.
 *
 * @param held what it holds now; undefined: nothing yet
 */
export function planRolesUpdate(
  held: HeldRoles | undefined,
  update: OfferedRoles,
  now: ClockReading,
): RolesPlan {
  const { revision, change, remainingMs } = update;
  if (remainingMs === undefined) return refuse('roles that do not say for how long they count');
  const changed = changedRoles(held, revision, change);
  if (typeof changed === 'string') return refuse(changed);
  const life = Math.min(ROLES_LIFE_MS, Math.max(0, remainingMs));
  return { kind: 'accept', held: { revision, roles: changed, remainingMs: life, asOf: now } };
}

/** The roles after the change, or why it cannot be. */
function changedRoles(
  held: HeldRoles | undefined,
  revision: string,
  change: OfferedRoles['change'],
): readonly AccessRole[] | string {
  switch (change.kind) {
    case 'replace':
      // A change of nothing puts them in their order, and two of one name are one then.
      return rolesProblem(change.roles) ?? ofRevision(applyRoleChanges(change.roles, NOTHING), revision);
    case 'apply': {
      if ((held?.revision ?? '') !== change.baseRevision) {
        return 'a change of roles that this agent does not hold';
      }
      const roles = applyRoleChanges(held?.roles ?? [], change);
      return rolesProblem(roles) ?? ofRevision(roles, revision);
    }
    case 'renew':
      if (held?.revision === revision) return held.roles;
      return 'a renewal of roles that this agent does not hold';
    case 'unknown':
      return 'a kind of change that this agent does not know';
  }
}

const NOTHING: RoleChanges = { put: [], removed: [] };

function ofRevision(roles: readonly AccessRole[], revision: string): readonly AccessRole[] | string {
  const differs = 'the roles do not have the revision that came with them';
  return rolesRevision(roles) === revision ? roles : differs;
}

function refuse(reason: string): RolesPlan {
  return { kind: 'refuse', reason };
}
