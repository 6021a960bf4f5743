/** What became of one document of `create`. */
export interface CreatedView {
  readonly name: string;
  readonly status: 'ACCEPTED' | 'CONFLICT' | 'DENIED' | 'INVALID' | 'UNKNOWN';
  /** Of an accepted one. */
  readonly revision?: number;
  /** Of one that was not accepted. */
  readonly reason?: string;
}
