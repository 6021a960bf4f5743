/** Says when a request may be made; asked before every single attempt. */
export interface RequestPacer {
  /**
   * Resolves when it is the caller's turn, in the order of asking.
   *
   * @throws the signal's reason once it aborts, and `QuotaQueueError` when too many wait already
   */
  acquire(signal: AbortSignal): Promise<Turn>;
}

/** One attempt that may be made now. Telling how it ended is owed once, by one of the two. */
export interface Turn {
  /** It was answered, by whatever it was but a throttle. */
  succeeded(): void;
  /** EC2 asked for fewer requests. */
  throttled(): void;
}

/** More requests wait for their turn than are worth waiting for. */
export class QuotaQueueError extends Error {
  override readonly name = 'QuotaQueueError';
}
