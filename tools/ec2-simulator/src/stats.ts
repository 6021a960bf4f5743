/** Requests and errors are counted under at most this many names: a client could make up any. */
const MAX_NAMES = 200;
const OTHERS = 'other';

export interface StatsReport {
  /** By action, also the refused ones. */
  readonly requests: Readonly<Record<string, number>>;
  /** By error code. */
  readonly errors: Readonly<Record<string, number>>;
}

export class Stats {
  #requests = new Map<string, number>();
  #errors = new Map<string, number>();

  request(action: string): void {
    count(this.#requests, action);
  }

  error(code: string): void {
    count(this.#errors, code);
  }

  reset(): void {
    this.#requests = new Map();
    this.#errors = new Map();
  }

  report(): StatsReport {
    return { requests: Object.fromEntries(this.#requests), errors: Object.fromEntries(this.#errors) };
  }
}

function count(counts: Map<string, number>, name: string): void {
  const known = counts.has(name) || counts.size < MAX_NAMES ? name : OTHERS;
  counts.set(known, (counts.get(known) ?? 0) + 1);
}
