import type { DiscoveredInstance } from '@tagplane/ec2';
import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { SECOND } from '@tagplane/runtime';
import type { InstanceChange } from './change.ts';
import { DueHeap } from './due-heap.ts';
import type { Timed } from './due-heap.ts';
import { Expectations } from './expectations.ts';

/** What one describe may be asked for. */
export const MAX_DESCRIBED = 100;
/** About 100 MB of changes; more is an event for the whole estate, and the next scan is as quick. */
const MAX_INSTANCES = 100_000;
/** 1 + 2 + 4 + 8 + 16 + 32 s: after 63 s the describe stands against the event. */
const MAX_ATTEMPTS = 7;

export interface CoalescerOptions {
  /** From the first change of an instance to its describe: changes come in flocks. Milliseconds. */
  readonly settleMs: number;
  /** Default 100,000. */
  readonly maxInstances?: number;
}

/** What became of a change: `full`: it is left to the next scan. */
export type Taken = 'taken' | 'known' | 'full';

/** Instances of one place to be described in one call. */
export interface Look {
  readonly place: string;
  readonly keys: readonly InstanceKey[];
}

/** What came of a describe. */
export interface Looked<Ticket> {
  /** Not older than the events, or trusted at last. */
  readonly instances: readonly DiscoveredInstance[];
  /** Instances that EC2 does not know. */
  readonly missing: readonly InstanceKey[];
  /** How many were older than the events, and are asked for again. */
  readonly stale: number;
  /** How many were so to the end: the events count for nothing any more. */
  readonly givenUp: number;
  /** Of changes that are done with. */
  readonly tickets: readonly Ticket[];
  /** The event times of what is in `instances`, by `account/region/instance`. */
  readonly eventTimes: ReadonlyMap<string, number>;
}

interface Waiting<Ticket> {
  readonly key: InstanceKey;
  readonly tickets: Ticket[];
  /** The one turn that counts: an earlier one takes the place of a later one. */
  turn: Turn<Ticket> | undefined;
  /** Looks that found less than was expected, since the last news. */
  attempts: number;
  /** Time of the first event; undefined: no event, a scan made it doubtful. */
  eventAt: number | undefined;
  asking: boolean;
  /** Something changed while EC2 was being asked that its answer cannot be held against. */
  again: boolean;
}

interface Turn<Ticket> extends Timed {
  readonly of: Waiting<Ticket>;
}

/**
 * Makes few describes of many events: changes of one instance are one look at it, looks are grouped by
 * account and region, and a look that finds less than the events said is repeated later. No I/O.
 *
 * @typeParam Ticket what the caller gets back once a change is done with
 */
export class Coalescer<Ticket> {
  readonly expectations = new Expectations();
  readonly #options: Required<CoalescerOptions>;
  readonly #waiting = new Map<string, Waiting<Ticket>>();
  readonly #later = new DueHeap<Turn<Ticket>>();
  /** Those whose time has come, by place. */
  readonly #ready = new Map<string, Waiting<Ticket>[]>();
  readonly #busy = new Set<string>();

  constructor(options: CoalescerOptions) {
    this.#options = { maxInstances: MAX_INSTANCES, ...options };
  }

  /** Instances that are to be described, or are being. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a change. The ticket comes back from `looked` or `failed` only if it was `taken`.
   *
   * @param seen the same event has been taken before
   */
  add(change: InstanceChange, ticket: Ticket, now: number, seen = false): Taken {
    const waiting = this.#waiting.get(instanceKeyText(change.key));
    if (waiting === undefined && this.#isFull) return seen ? 'known' : 'full';
    const noted = seen ? 'known' : this.expectations.note(change, now);
    if (noted === 'known') {
      // Its message is to live as long as the one before: until the change is taken in.
      waiting?.tickets.push(ticket);
      return waiting === undefined ? 'known' : 'taken';
    }
    const entry = waiting ?? this.#await(change.key, now);
    entry.tickets.push(ticket);
    entry.eventAt = Math.min(entry.eventAt ?? Infinity, change.at);
    entry.attempts = 0;
    entry.again ||= entry.asking && change.expectation.kind === 'any';
    // What waits to be asked again, for a while perhaps, is worth a look now.
    if (entry.turn !== undefined) this.#schedule(entry, now + this.#options.settleMs);
    return 'taken';
  }

  /** A scan's word on the instance is doubtful. */
  doubt(key: InstanceKey, now: number): void {
    if (this.#waiting.has(instanceKeyText(key)) || this.#isFull) return;
    this.#await(key, now);
  }

  /** When `take` will have something, if nothing else happens; undefined: not by time alone. */
  nextAt(now: number): number | undefined {
    for (const place of this.#ready.keys()) if (!this.#busy.has(place)) return now;
    return this.#later.nextAt;
  }

  /** The next call to make. Its place gets no other until `looked` or `failed`. */
  take(now: number): Look | undefined {
    this.#makeReady(now);
    for (const [place, ready] of this.#ready) {
      if (this.#busy.has(place)) continue;
      const taken = ready.splice(0, MAX_DESCRIBED);
      // To the end of the line: a busy place must not keep the others waiting.
      this.#ready.delete(place);
      if (ready.length > 0) this.#ready.set(place, ready);
      this.#busy.add(place);
      for (const entry of taken) entry.asking = true;
      return { place, keys: taken.map(({ key }) => key) };
    }
    return undefined;
  }

  /** EC2 answered; an instance that is not among the described ones is one that it does not know. */
  looked(look: Look, described: readonly DiscoveredInstance[], askedAt: number, now: number): Looked<Ticket> {
    const found = new Map(described.map((instance) => [instanceKeyText(instance.key), instance]));
    const instances: DiscoveredInstance[] = [];
    const missing: InstanceKey[] = [];
    const tickets: Ticket[] = [];
    const eventTimes = new Map<string, number>();
    let [stale, givenUp] = [0, 0];
    for (const entry of this.#answered(look)) {
      const id = instanceKeyText(entry.key);
      const instance = found.get(id);
      const isStale = this.expectations.isStale(entry.key, instance, askedAt);
      if (isStale) stale += 1;
      if ((isStale || entry.again) && this.#retry(entry, now)) continue;
      if (isStale) {
        givenUp += 1;
        this.expectations.forget(entry.key);
      } else this.expectations.confirm(entry.key, askedAt);
      if (instance === undefined) missing.push(entry.key);
      else instances.push(instance);
      if (entry.eventAt !== undefined) eventTimes.set(id, entry.eventAt);
      tickets.push(...this.#done(entry));
    }
    return { instances, missing, stale, givenUp, tickets, eventTimes };
  }

  /** EC2 could not be asked, or nobody may ask it: tried again, and then left to the scans. */
  failed(look: Look, now: number): Pick<Looked<Ticket>, 'tickets' | 'givenUp'> {
    const tickets: Ticket[] = [];
    let givenUp = 0;
    for (const entry of this.#answered(look)) {
      if (this.#retry(entry, now)) continue;
      givenUp += 1;
      this.expectations.forget(entry.key);
      tickets.push(...this.#done(entry));
    }
    return { tickets, givenUp };
  }

  /** Tickets of all that is not done with. */
  *unsettled(): Iterable<Ticket> {
    for (const { tickets } of this.#waiting.values()) yield* tickets;
  }

  get #isFull(): boolean {
    return this.#waiting.size >= this.#options.maxInstances;
  }

  #await(key: InstanceKey, now: number): Waiting<Ticket> {
    const fresh = { turn: undefined, attempts: 0, eventAt: undefined, asking: false, again: false };
    const entry: Waiting<Ticket> = { key, tickets: [], ...fresh };
    this.#waiting.set(instanceKeyText(key), entry);
    this.#schedule(entry, now + this.#options.settleMs);
    return entry;
  }

  #makeReady(now: number): void {
    for (let due = this.#later.popDue(now); due !== undefined; due = this.#later.popDue(now)) {
      if (due.of.turn !== due) continue;
      due.of.turn = undefined;
      const place = placeOf(due.of.key);
      const ready = this.#ready.get(place);
      if (ready === undefined) this.#ready.set(place, [due.of]);
      else ready.push(due.of);
    }
  }

  #schedule(entry: Waiting<Ticket>, dueAt: number): void {
    if (entry.turn !== undefined && entry.turn.dueAt <= dueAt) return;
    entry.turn = { dueAt, of: entry };
    this.#later.push(entry.turn);
  }

  *#answered({ place, keys }: Look): Iterable<Waiting<Ticket>> {
    this.#busy.delete(place);
    for (const key of keys) {
      const entry = this.#waiting.get(instanceKeyText(key));
      if (entry === undefined) continue;
      entry.asking = false;
      yield entry;
    }
  }

  /** @returns false when it has been tried often enough */
  #retry(entry: Waiting<Ticket>, now: number): boolean {
    entry.attempts += 1;
    entry.again = false;
    if (entry.attempts >= MAX_ATTEMPTS) return false;
    this.#schedule(entry, now + 2 ** (entry.attempts - 1) * SECOND);
    return true;
  }

  #done({ key, tickets }: Waiting<Ticket>): readonly Ticket[] {
    this.#waiting.delete(instanceKeyText(key));
    return tickets;
  }
}

/** `account/region` */
function placeOf({ account, region }: InstanceKey): string {
  return `${account}/${region}`;
}
