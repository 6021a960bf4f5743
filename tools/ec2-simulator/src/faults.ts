/** What happens to some of the coming requests, instead of or before their usual answer. */
export interface Fault {
  /** Only requests of this action, such as `DescribeInstances`; undefined: of any. */
  readonly action: string | undefined;
  /** Only requests signed for this region; undefined: for any. */
  readonly region: string | undefined;
  /** Requests let through first: 6 makes the seventh page the first to fail. */
  readonly skip: number;
  /** Requests it then applies to. */
  readonly count: number;
  /** Milliseconds before the answer. */
  readonly delayMs: number;
  /** What to answer with instead, as it is, with the status 200; undefined: the usual answer. */
  readonly body?: string | undefined;
  /** The error to answer with; undefined: only the delay. */
  readonly error: { readonly code: string; readonly message: string; readonly status: number } | undefined;
}

/** The faults that are set, in order; the first one that a request falls under counts it and applies. */
export class Faults {
  #active: { fault: Fault; skip: number; count: number }[] = [];

  add(fault: Fault): void {
    this.#active.push({ fault, skip: fault.skip, count: fault.count });
  }

  clear(): void {
    this.#active = [];
  }

  get pending(): number {
    return this.#active.reduce((sum, { count }) => sum + count, 0);
  }

  /** The fault for this request, which is used up by asking. */
  take(action: string, region: string): Fault | undefined {
    const entry = this.#active.find(
      ({ fault }) =>
        (fault.action === undefined || fault.action === action) &&
        (fault.region === undefined || fault.region === region),
    );
    if (entry === undefined) return undefined;
    if (entry.skip > 0) {
      entry.skip -= 1;
      return undefined;
    }
    entry.count -= 1;
    if (entry.count <= 0) this.#active.splice(this.#active.indexOf(entry), 1);
    return entry.fault;
  }
}
