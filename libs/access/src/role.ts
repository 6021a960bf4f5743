import type { Selector } from '@tagplane/labels';

/** What holders of a role may do. Deny beats allow, over all roles that one holds. */
export interface AccessRole {
  readonly name: string;
  /** For people; empty for none. */
  readonly description: string;
  readonly allow: readonly AccessRule[];
  readonly deny: readonly AccessRule[];
  /** An observed label that is older counts as unknown for this role; undefined: any fresh label counts. */
  readonly maxLabelAgeMs: number | undefined;
}

/** Logins, on nodes. */
export interface AccessRule {
  /** Login names, `*` for any, or templates such as `{{traits.logins}}`. At least one. */
  readonly logins: readonly string[];
  readonly nodeLabels: Selector;
}

/** A role as the store holds it. */
export interface StoredRole extends AccessRole {
  /** The store's, rising with every write of any role. */
  readonly revision: number;
  /** Who wrote it, as `role/name`. */
  readonly updatedBy: string;
  /** Unix milliseconds. */
  readonly updatedAt: number;
}
