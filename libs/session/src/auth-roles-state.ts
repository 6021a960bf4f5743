const HOUR = 3_600_000;

/** Roles count for so long without another word of the auth service: a weekend's outage ends access. */
export const ROLES_LIFE_MS = 24 * HOUR;
/** They are renewed when less than two thirds are left, after 8 h: two more tries in the rest of a day. */
export const ROLES_RENEW_LEFT_MS = (2 / 3) * ROLES_LIFE_MS;
/** Renewals of agents that were all sent roles at once, by an edit, are spread over this. */
export const ROLES_RENEW_SPREAD_MS = 2 * HOUR;

/** What the auth service knows of the roles that the agent holds. */
export type HeldRolesView =
  /** By its own word, or by its ack. Unix milliseconds; undefined: it holds none, or did not say. */
  | { readonly known: 'yes'; readonly revision: string; readonly expiresAt: number | undefined }
  /** An update may or may not have taken effect. */
  | { readonly known: 'not' };

/** `apply`: the difference to `base`. `renew`: what the agent holds lives on. */
export type RolesChange =
  | { readonly kind: 'replace' }
  | { readonly kind: 'apply'; readonly base: string }
  | { readonly kind: 'renew' };

/** A roles update that is on its way. */
export interface SendingRoles {
  readonly nonce: string;
  readonly revision: string;
  readonly change: RolesChange;
  /** Unix milliseconds, as all times here. */
  readonly sentAt: number;
  readonly tries: RolesTries;
  /** Whether something else is wanted by now; sent when this one is answered. */
  readonly newer: boolean;
}

/** What came of earlier sends. */
export interface RolesTries {
  readonly unanswered: number;
  readonly refused: number;
}

export type RolesPhase =
  /** No hello yet, or of an agent that does not decide: it is sent no roles. */
  | { readonly phase: 'off' }
  /** What it should have is not known, or not known again. */
  | { readonly phase: 'undecided'; readonly held: HeldRolesView; readonly tries: RolesTries }
  | { readonly phase: 'awaiting-ack'; readonly sending: SendingRoles; readonly deadline: number }
  /** The agent refused the whole set; the same one is tried again later, another one at once. */
  | {
      readonly phase: 'backing-off';
      readonly refused: string;
      readonly reason: string;
      readonly tries: RolesTries;
      readonly retryAt: number;
    }
  /** It has what it should have, until `expiresAt`; undefined: there are no roles to run out. */
  | { readonly phase: 'synced'; readonly revision: string; readonly expiresAt: number | undefined };

/** The auth service's view of the roles on one control stream. */
export interface AuthRolesState {
  readonly sync: RolesPhase;
  /** Updates so far; the next nonce is made from it. */
  readonly sends: number;
}

/** What the agent says it holds; revision empty: none. */
export interface HeldRolesClaim {
  readonly revision: string;
  readonly remainingMs: number | undefined;
}

export type AuthRolesEvent =
  /** `decides`: it takes roles. */
  | { readonly type: 'hello'; readonly decides: boolean; readonly held: HeldRolesClaim }
  | { readonly type: 'heartbeat'; readonly held: HeldRolesClaim }
  | { readonly type: 'ack'; readonly nonce: string }
  | { readonly type: 'nack'; readonly nonce: string; readonly reason: string }
  /** What every agent should have; `knows`: whether the difference from a revision can be told. */
  | { readonly type: 'wanted'; readonly revision: string; readonly knows: (base: string) => boolean }
  /** What the agent has is to be said to it once more: it keeps the auth service's word for it. */
  | { readonly type: 'renew' }
  | { readonly type: 'tick' };

export type AuthRolesEffect =
  /** A `wanted` event is asked for; it may take its time. */
  | { readonly type: 'ask' }
  | {
      readonly type: 'send-roles';
      readonly nonce: string;
      readonly revision: string;
      readonly change: RolesChange;
    }
  | { readonly type: 'acked'; readonly sending: SendingRoles }
  | { readonly type: 'nacked'; readonly sending: SendingRoles; readonly reason: string }
  /** An answer to something else than the latest send; it changes nothing. */
  | { readonly type: 'stale'; readonly answer: 'ack' | 'nack' }
  /** It answers none of so many sends. */
  | { readonly type: 'unresponsive' };

export interface AuthRolesStep {
  readonly state: AuthRolesState;
  readonly effects: readonly AuthRolesEffect[];
}
