import { SECOND } from '@tagplane/runtime';
import type { CleanRecord } from './event.ts';

/** Events that are to be written as one. */
export interface Counted {
  readonly record: CleanRecord;
  readonly count: number;
}

export interface LikeEventsLimits {
  /** How long like events are counted together. */
  readonly windowMs: number;
  /** Different ones that are told apart at once. */
  readonly distinct: number;
  /** Events a second that may be written in the long run, after a first `distinct`. */
  readonly perSecond: number;
}

/**
 * A whole fleet of 10,000 that is misconfigured at once is seen agent by agent; whoever goes on making up
 * addresses or names writes two events a second, 1.2 million in the store's week of default retention.
 */
export const LIKE_EVENTS_LIMITS: LikeEventsLimits = {
  windowMs: 10 * SECOND,
  distinct: 10_000,
  perSecond: 2,
};

interface Window {
  readonly record: CleanRecord;
  repeats: number;
  readonly endsAt: number;
}

/**
 * Counts like events (same code, address, actor and reason) together: the first one is written at once,
 * those that follow within the window as one event with their number. What is beyond the limits is
 * counted by code alone, so that nothing a stranger does can fill a disk, and nothing goes uncounted.
 */
export class LikeEvents {
  readonly #limits: LikeEventsLimits;
  /** In the order of their ends. */
  readonly #windows = new Map<string, Window>();
  readonly #rest = new Map<string, { last: CleanRecord; count: number }>();
  #restUntil = 0;
  #budget: number;
  #filledAt: number;

  /** @param now Unix milliseconds, as in all methods */
  constructor(now: number, limits: LikeEventsLimits = LIKE_EVENTS_LIMITS) {
    this.#limits = limits;
    this.#budget = limits.distinct;
    this.#filledAt = now;
  }

  /** Whether this one is to be written now; if not, `due` will hand it out, counted. */
  offer(record: CleanRecord, now: number): boolean {
    const key = keyOf(record);
    const window = this.#windows.get(key);
    if (window !== undefined) {
      window.repeats += 1;
      return false;
    }
    if (this.#windows.size >= this.#limits.distinct || !this.#spend(now)) {
      this.#addToRest(record, 1, now);
      return false;
    }
    this.#open(key, record, now);
    return true;
  }

  /** Takes out what was counted in windows that have ended. */
  due(now: number): Counted[] {
    const counted: Counted[] = [];
    for (const [key, window] of this.#windows) {
      if (!this.#isOver(window.endsAt, now)) break;
      this.#windows.delete(key);
      if (window.repeats === 0) continue;
      if (this.#spend(now)) {
        counted.push({ record: window.record, count: window.repeats });
        // It goes on: from here on one event a window.
        this.#open(key, window.record, now);
      } else {
        this.#addToRest(window.record, window.repeats, now);
      }
    }
    if (this.#isOver(this.#restUntil, now)) counted.push(...this.#takeRest());
    return counted;
  }

  /** Takes out everything that was counted, at the end. */
  takeAll(): Counted[] {
    const counted: Counted[] = [];
    for (const { record, repeats } of this.#windows.values()) {
      if (repeats > 0) counted.push({ record, count: repeats });
    }
    this.#windows.clear();
    return [...counted, ...this.#takeRest()];
  }

  #open(key: string, record: CleanRecord, now: number): void {
    this.#windows.set(key, { record: repeatOf(record), repeats: 0, endsAt: now + this.#limits.windowMs });
  }

  /** A clock that was set back must not keep a window open. */
  #isOver(endsAt: number, now: number): boolean {
    return now >= endsAt || endsAt - now > this.#limits.windowMs;
  }

  #spend(now: number): boolean {
    const { distinct, perSecond } = this.#limits;
    const gained = (Math.max(0, now - this.#filledAt) * perSecond) / SECOND;
    this.#budget = Math.min(distinct, this.#budget + gained);
    this.#filledAt = now;
    if (this.#budget < 1) return false;
    this.#budget -= 1;
    return true;
  }

  #addToRest(record: CleanRecord, count: number, now: number): void {
    if (this.#rest.size === 0) this.#restUntil = now + this.#limits.windowMs;
    const rest = this.#rest.get(record.code);
    if (rest === undefined) this.#rest.set(record.code, { last: record, count });
    else {
      rest.last = record;
      rest.count += count;
    }
  }

  #takeRest(): Counted[] {
    const counted = [...this.#rest.values()].map(({ last, count }) => ({ record: summary(last), count }));
    this.#rest.clear();
    return counted;
  }
}

/** No text of a record has a control character in it. */
function keyOf({ code, remoteAddress, actor, reason }: CleanRecord): string {
  return `${code}\0${remoteAddress}\0${actor}\0${reason}`;
}

/** What is kept of it: the first one's details say nothing of the others, and take room. */
function repeatOf(record: CleanRecord): CleanRecord {
  return { ...record, subjects: record.subjects.slice(0, 3), details: {} };
}

function summary({ code, result, remoteAddress, actor, reason }: CleanRecord): CleanRecord {
  return {
    code,
    result,
    actor: '',
    remoteAddress: '',
    reason: 'too many different ones to tell them apart; the details are of the last one',
    subjects: [],
    details: { actor, remote_address: remoteAddress, reason },
  };
}
