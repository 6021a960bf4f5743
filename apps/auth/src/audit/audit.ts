/** Something that matters to security. Values of secrets never belong in it; nor do values of labels. */
export interface AuditRecord {
  /** Such as `join.refused`; docs/security.md lists them. */
  readonly code: string;
  readonly result: 'ok' | 'refused' | 'failed';
  /** `role/name`; undefined when nobody had said or proven who they are. */
  readonly actor?: string | undefined;
  /** IP address. */
  readonly remoteAddress?: string | undefined;
  /** Why it was refused or failed. */
  readonly reason?: string | undefined;
  readonly subjects?: readonly string[];
  readonly details?: Readonly<Record<string, string>>;
}

/** Takes events; never throws, never waits. */
export interface Audit {
  record(event: AuditRecord): void;
}
