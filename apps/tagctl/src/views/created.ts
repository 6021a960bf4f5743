/** What became of one document of `create`. */
export interface CreatedView {
  readonly kind: 'server_info' | 'role';
  readonly name: string;
  readonly status: 'ACCEPTED' | 'CONFLICT' | 'DENIED' | 'HELD' | 'INVALID' | 'UNKNOWN';
  /** Of an accepted one. */
  readonly revision?: number;
  /** Of one that was not accepted. */
  readonly reason?: string;
  /** Of one that the guard holds. */
  readonly hold_id?: string;
}
