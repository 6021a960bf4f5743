import { instanceKeyText } from '@tagplane/identity';
import { Earliest } from './earliest.ts';
import { placeText } from './facts.ts';
import type { EnrolmentCandidate, EnrolmentFacts } from './facts.ts';
import { lookAt } from './look.ts';
import { ANY_BLOCK } from './starts.ts';
import type { Starts } from './starts.ts';
import { dueAt, isInFlight } from './tries.ts';
import type { Tries } from './tries.ts';
import type { EnrolmentView } from './view.ts';

/** What was tried, by `account/region/instance`. */
export interface EnrolmentState {
  readonly tries: ReadonlyMap<string, Tries>;
  readonly starts: Starts;
}

export interface EnrolmentPlan {
  /** Whose turn it is now, those that are due longest first. */
  readonly begin: readonly EnrolmentCandidate[];
  /** One for every instance without an agent, and for those with one that were tried before. */
  readonly views: readonly EnrolmentView[];
  /** Instances that need an agent and that SSM would have to know, by place: `account/region`. */
  readonly places: ReadonlyMap<string, EnrolmentCandidate>;
  /** Tries of instances that are no candidates any more. */
  readonly gone: readonly string[];
}

/** What was never tried goes before every retry: many that fail again and again hold up nobody. */
const NEVER_TRIED = 0;

interface Due {
  readonly candidate: EnrolmentCandidate;
  readonly id: string;
  readonly at: number;
}

/**
 * Decides whose turn it is and how every instance stands. Pure; the order of the candidates is irrelevant.
 * While nobody has told who has an agent, nothing begins and nothing is said.
 */
export function planEnrolments(state: EnrolmentState, facts: EnrolmentFacts, now: number): EnrolmentPlan {
  const round = new PlanRound(state, facts, now);
  for (const candidate of facts.candidates) round.add(candidate);
  return round.finish();
}

/** The same, a candidate at a time: a hundred thousand at once would hold up everything else. */
export class PlanRound {
  readonly #state: EnrolmentState;
  readonly #facts: Omit<EnrolmentFacts, 'candidates'>;
  readonly #now: number;
  readonly #queues: Queues;
  readonly #views: EnrolmentView[] = [];
  readonly #places = new Map<string, EnrolmentCandidate>();
  readonly #seen = new Set<string>();

  constructor(state: EnrolmentState, facts: Omit<EnrolmentFacts, 'candidates'>, now: number) {
    this.#state = state;
    this.#facts = facts;
    this.#now = now;
    this.#queues = new Queues(state, facts, now);
  }

  add(candidate: EnrolmentCandidate): void {
    const { agents } = this.#facts;
    if (agents === undefined) return;
    const id = instanceKeyText(candidate.key);
    const tries = this.#state.tries.get(id);
    if (tries !== undefined) this.#seen.add(id);
    const look = lookAt(candidate, tries, this.#facts, agents.has(id));
    if (look === undefined) return;
    this.#views.push(look.view);
    if (look.needsSsm) this.#places.set(placeText(candidate.key), candidate);
    const at = tries === undefined ? NEVER_TRIED : dueAt(tries);
    if (look.reachable && at !== undefined && at <= this.#now) this.#queues.offer({ candidate, id, at });
  }

  finish(): EnrolmentPlan {
    const { agents, complete } = this.#facts;
    const knows = complete && agents !== undefined;
    const gone = knows ? goneOf(this.#state, this.#seen) : [];
    return { begin: this.#queues.begin(), views: this.#views, places: this.#places, gone };
  }
}

/** An attempt under way ends first, so that it counts as one. */
function goneOf({ tries }: EnrolmentState, seen: ReadonlySet<string>): string[] {
  return [...tries].flatMap(([id, one]) => (seen.has(id) || isInFlight(one) ? [] : [id]));
}

/** Those that are due, by block, no more than may begin. */
class Queues {
  readonly #queues = new Map<number, Earliest<Due>>();
  readonly #inFlight = new Map<number, number>();
  readonly #state: EnrolmentState;
  readonly #facts: Pick<EnrolmentFacts, 'limits'>;
  readonly #now: number;

  constructor(state: EnrolmentState, facts: Pick<EnrolmentFacts, 'limits'>, now: number) {
    this.#state = state;
    this.#facts = facts;
    this.#now = now;
    for (const tries of state.tries.values()) {
      if (!isInFlight(tries)) continue;
      this.#inFlight.set(tries.block, (this.#inFlight.get(tries.block) ?? 0) + 1);
    }
  }

  offer(due: Due): void {
    const { block } = due.candidate;
    let queue = this.#queues.get(block);
    if (queue === undefined) {
      queue = new Earliest(this.#room(block), byTime);
      this.#queues.set(block, queue);
    }
    queue.offer(due);
  }

  begin(): EnrolmentCandidate[] {
    return [...this.#queues.values()]
      .flatMap(({ items }) => items)
      .toSorted(byTime)
      .map(({ candidate }) => candidate);
  }

  #room(block: number): number {
    const { capPerMinute, maxInFlight } = this.#facts.limits(block);
    const underWay = (this.#inFlight.get(block) ?? 0) + (this.#inFlight.get(ANY_BLOCK) ?? 0);
    const places = maxInFlight - underWay;
    return Math.max(0, Math.min(places, this.#state.starts.room(block, capPerMinute, this.#now)));
  }
}

/** Longest due first; by name among equals, so that the order they came in says nothing. */
function byTime(a: Due, b: Due): number {
  if (a.at !== b.at) return a.at - b.at;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}
