import { hashText, mix } from './fleet/random.ts';

/** What happens to some of the coming requests, instead of or before their usual answer. */
export interface Fault {
  /** Only requests of this action, such as `DescribeInstances`; undefined: of any. */
  readonly action: string | undefined;
  /** Only requests signed for this region; undefined: for any. */
  readonly region: string | undefined;
  /** Only requests of this account's credentials; undefined: of any. */
  readonly account?: string | undefined;
  /** Only requests for this page, from 1; undefined: for any. */
  readonly page?: number | undefined;
  /** Requests let through first: 6 makes the seventh page the first to fail. */
  readonly skip: number;
  /** Requests it then applies to. */
  readonly count: number;
  /** The share of requests that it applies to, 0 to 1; by the seed. Default all. */
  readonly probability?: number | undefined;
  /** How long it waits after it was set, and then lasts, in milliseconds. Default at once and for good. */
  readonly afterMs?: number | undefined;
  readonly forMs?: number | undefined;
  /** Milliseconds before the answer. */
  readonly delayMs: number;
  /** What to answer with instead, as it is, with the status 200; undefined: the usual answer. */
  readonly body?: string | undefined;
  /** The error to answer with; undefined: only the delay. */
  readonly error: { readonly code: string; readonly message: string; readonly status: number } | undefined;
  /** The usual answer, broken after so many bytes: the connection is cut, or the answer ends there. */
  readonly cutAfter?: number | undefined;
  readonly truncateAfter?: number | undefined;
  /** No answer: the connection is closed. */
  readonly drop?: boolean | undefined;
  /** A describe shows what was before each instance's latest change, or no instance at all. */
  readonly view?: 'stale' | 'empty' | undefined;
}

export interface FaultSubject {
  readonly action: string;
  readonly region: string;
  readonly account: string;
  readonly page: number;
  /** Unix milliseconds. */
  readonly now: number;
}

interface Entry {
  readonly fault: Fault;
  readonly since: number;
  skip: number;
  count: number;
  /** Draws so far by account, region and action, so that places side by side draw the same in each run. */
  readonly draws: Map<string, number>;
}

/** The faults that are set, in order; the first one that a request falls under counts it and applies. */
export class Faults {
  #active: Entry[] = [];
  #added = 0;
  readonly #seed: number;
  readonly #now: () => number;

  constructor(seed = 1, now: () => number = Date.now) {
    this.#seed = seed;
    this.#now = now;
  }

  add(fault: Fault): void {
    this.#added += 1;
    const { skip, count } = fault;
    this.#active.push({ fault, skip, count, since: this.#now(), draws: new Map([['', this.#added]]) });
  }

  clear(): void {
    this.#active = [];
    this.#added = 0;
  }

  get pending(): number {
    return this.#active.reduce((sum, { count }) => sum + count, 0);
  }

  /** The fault for this request, which is used up by asking. */
  take(subject: FaultSubject): Fault | undefined {
    const entry = this.#active.find(
      (candidate) => isAbout(candidate, subject) && this.#isDrawn(candidate, subject),
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

  #isDrawn({ fault, draws }: Entry, { account, region, action }: FaultSubject): boolean {
    const { probability = 1 } = fault;
    if (probability >= 1) return true;
    const key = `${account}/${region}/${action}`;
    const count = (draws.get(key) ?? 0) + 1;
    draws.set(key, count);
    const salt = mix(mix(this.#seed, draws.get('') ?? 0), hashText(key));
    return mix(salt, count) / 2 ** 32 < probability;
  }
}

function isAbout({ fault, since }: Entry, subject: FaultSubject): boolean {
  const { action, region, account, page, afterMs = 0, forMs = Infinity } = fault;
  const age = subject.now - since;
  return (
    (action === undefined || action === subject.action) &&
    (region === undefined || region === subject.region) &&
    (account === undefined || account === subject.account) &&
    (page === undefined || page === subject.page) &&
    age >= afterMs &&
    age < afterMs + forMs
  );
}
