/** What a worker writes to the store, and how. */
export interface UpsertWork {
  /**
   * `ours`: through the API. `bare`: as ioredis pipelines of what the store writes of an item (value with
   * its time to live, both indexes, the feed). `bare-pair`: only the value and one index.
   */
  readonly how: 'ours' | 'bare' | 'bare-pair';
  readonly url: string;
  readonly port: number;
  /** Of the server whose CPU counts as well. */
  readonly pid?: number;
  /**
   * Items written before the measured ones, so that neither side is measured while its code is compiled:
   * the services run for weeks, and 100,000 items take seconds.
   */
  readonly warmUp: number;
  readonly total: number;
}
