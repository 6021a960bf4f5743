import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import type { DescribedInstance } from '@tagplane/serverinfo';
import type { InstanceChange, InstanceState } from './change.ts';

/**
 * How long a describe that says otherwise is held to be older than the event, counted from the event. EC2's
 * replicas are seconds apart; after two minutes it is rather the event that is out of date.
 */
export const EXPECTED_MS = 2 * MINUTE;

/** The newest word on one thing; several values where two events of one time leave their order open. */
interface Word<Value> {
  readonly at: number;
  readonly version: number | undefined;
  readonly values: readonly Value[];
}

interface Entry {
  readonly key: InstanceKey;
  readonly tags: Map<string, Word<string | undefined>>;
  state: Word<InstanceState> | undefined;
  /** When something was last said of it: an instance of which something is said is there. */
  at: number;
  /** When EC2 was asked, of the describe that had all of it; undefined: none yet. */
  confirmedAt: number | undefined;
}

/** Whether a change says anything that is not known, and seen, already. */
export type Noted = 'news' | 'known';

/** What EC2 may describe instead of a state without being older than it. */
const FOLLOWING: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  pending: ['pending', 'running'],
  running: ['running', 'stopping'],
  stopping: ['stopping', 'stopped'],
  stopped: ['stopped', 'pending'],
  'shutting-down': [],
  terminated: [],
};

/**
 * What events said of instances, and whether a describe is older than that: by tag key and for the state,
 * the newest event counts, by its time, then its version. No I/O.
 */
export class Expectations {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Takes a change in, whenever it comes. */
  note(change: InstanceChange, now: number): Noted {
    const id = instanceKeyText(change.key);
    // An event from the future is one of now: a clock that is ahead must not outlast the others.
    const at = Math.min(change.at, now);
    const entry: Entry = this.#entries.get(id) ?? {
      key: change.key,
      tags: new Map(),
      state: undefined,
      at: 0,
      confirmedAt: undefined,
    };
    this.#entries.set(id, entry);
    const news = noteIn(entry, { ...change, at });
    entry.at = Math.max(entry.at, at);
    if (!news && entry.confirmedAt !== undefined && entry.confirmedAt >= at) return 'known';
    return 'news';
  }

  /**
   * Whether a describe is older than what events said.
   *
   * @param described undefined: EC2 knew nothing of the instance
   * @param askedAt when EC2 was asked, Unix milliseconds
   */
  isStale(
    key: InstanceKey,
    described: Pick<DescribedInstance, 'state' | 'tags'> | undefined,
    askedAt: number,
  ) {
    const entry = this.#entries.get(instanceKeyText(key));
    if (entry === undefined) return false;
    const stands = (word: { readonly at: number }): boolean => askedAt < word.at + EXPECTED_MS;
    if (described === undefined) return stands(entry) && !isEnding(entry);
    if (entry.state !== undefined && stands(entry.state) && !fits(entry.state, described.state)) return true;
    if (isFinal(described.state)) return false;
    for (const [tag, word] of entry.tags) {
      if (stands(word) && !word.values.includes(described.tags.get(tag))) return true;
    }
    return false;
  }

  /** A describe had all that was said of the instance. It is kept, for those that are older. */
  confirm(key: InstanceKey, askedAt: number): void {
    const entry = this.#entries.get(instanceKeyText(key));
    if (entry !== undefined) entry.confirmedAt = askedAt;
  }

  /** Nothing is expected of the instance any more. */
  forget(key: InstanceKey): void {
    this.#entries.delete(instanceKeyText(key));
  }

  /** Drops what is too old to count. */
  prune(now: number): void {
    for (const [id, entry] of this.#entries) if (entry.at + EXPECTED_MS <= now) this.#entries.delete(id);
  }
}

/** @returns whether there was anything in it that had not been said */
function noteIn(entry: Entry, { at, version, expectation }: InstanceChange): boolean {
  switch (expectation.kind) {
    case 'any':
      return true;
    case 'state': {
      const [word, news] = merge(entry.state, { at, version, values: [expectation.state] });
      entry.state = word;
      return news;
    }
    case 'tags': {
      let any = false;
      for (const [tag, value] of expectation.tags) {
        const [word, news] = merge(entry.tags.get(tag), { at, version, values: [value] });
        entry.tags.set(tag, word);
        any ||= news;
      }
      return any;
    }
  }
}

function merge<Value>(before: Word<Value> | undefined, next: Word<Value>): [Word<Value>, boolean] {
  if (before === undefined) return [next, true];
  const order = next.at - before.at || versionOrder(next.version, before.version);
  if (order < 0) return [before, false];
  const isSame = next.values.every((value) => before.values.includes(value));
  if (order > 0) return [next, !isSame || before.values.length > 1];
  return isSame ? [before, false] : [{ ...before, values: [...before.values, ...next.values] }, true];
}

function versionOrder(a: number | undefined, b: number | undefined): number {
  return a === undefined || b === undefined ? 0 : a - b;
}

function isFinal(state: InstanceState): boolean {
  return state === 'shutting-down' || state === 'terminated';
}

/** An instance that ends may be gone from EC2's answers. */
function isEnding({ state }: Entry): boolean {
  return state?.values.some(isFinal) === true;
}

function fits({ values }: Word<InstanceState>, described: InstanceState): boolean {
  if (described === 'terminated') return true;
  if (described === 'shutting-down') return values.some((value) => value !== 'terminated');
  return values.some((value) => FOLLOWING[value].includes(described));
}
