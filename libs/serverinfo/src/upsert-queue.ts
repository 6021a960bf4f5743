import { Lane } from './lane.ts';
import type { UpsertReason, Work } from './plan.ts';

export type Deletion = Extract<Work, { action: 'delete' }>;
export type Upsert = Extract<Work, { action: 'upsert' }>;

/** Work for one request: deletions or upserts, not both. */
export type Batch =
  | { readonly action: 'delete'; readonly work: readonly Deletion[] }
  | { readonly action: 'upsert'; readonly work: readonly Upsert[] };

type LaneName = 'delete' | UpsertReason;

interface Queued {
  readonly work: Work;
  readonly lane: LaneName;
  /** Order of arrival, to weigh a deletion against a changed label. */
  readonly arrival: number;
}

interface InFlight {
  readonly queued: Queued;
  /** What was offered for this name since it left; it waits for the answer. */
  newer: Work | undefined;
}

/** In the order in which upserts leave. */
const UPSERT_LANES = ['changed', 'new', 'renewal'] as const;
const LANES = ['delete', ...UPSERT_LANES] as const;

/**
 * What is to be sent, one item a name: a newer version takes the place of the queued one. Deletions and
 * changed labels leave first, then new instances, renewals last; within each, first in, first out. What
 * was taken is in flight until it is reported back, and nothing else for its name leaves before. Never
 * longer than the number of distinct names offered; every operation takes constant time an item.
 */
export class UpsertQueue {
  readonly #lanes: Readonly<Record<LaneName, Lane<Queued>>> = {
    delete: new Lane(),
    changed: new Lane(),
    new: new Lane(),
    renewal: new Lane(),
  };
  readonly #inFlight = new Map<string, InFlight>();
  #held = 0;
  #arrivals = 0;

  /** Items that wait: queued, or held until the answer about an older version is in. */
  get length(): number {
    return LANES.reduce((sum, name) => sum + this.#lanes[name].size, this.#held);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Whether this name waits or is in flight. */
  has(name: string): boolean {
    return this.#inFlight.has(name) || this.#find(name) !== undefined;
  }

  offer(work: Work): void {
    const leaving = this.#inFlight.get(work.name);
    if (leaving === undefined) {
      this.#enqueue(work);
      return;
    }
    if (leaving.newer === undefined) this.#held += 1;
    leaving.newer = work;
  }

  /** Nothing is due for this name any more. What is in flight for it still is. */
  drop(name: string): void {
    const leaving = this.#inFlight.get(name);
    if (leaving === undefined) this.#remove(name);
    else this.#releaseNewer(leaving);
  }

  /** Takes the next batch, at most `limit` items; undefined when nothing waits that may leave. */
  take(limit: number): Batch | undefined {
    const deletion = this.#lanes.delete.peek();
    const changed = this.#lanes.changed.peek();
    if (deletion !== undefined && (changed === undefined || deletion.arrival < changed.arrival)) {
      const work = this.#leave(this.#lanes.delete.take(limit));
      return { action: 'delete', work: work.filter((item) => item.action === 'delete') };
    }
    const work: Work[] = [];
    for (const name of UPSERT_LANES) {
      work.push(...this.#leave(this.#lanes[name].take(limit - work.length)));
    }
    if (work.length === 0) return undefined;
    return { action: 'upsert', work: work.filter((item) => item.action === 'upsert') };
  }

  /**
   * These are answered for good, accepted or refused. A newer version that says the same is done with
   * them; one that says something else is queued now.
   */
  settle(names: Iterable<string>): void {
    for (const name of names) {
      const leaving = this.#inFlight.get(name);
      if (leaving === undefined) continue;
      this.#inFlight.delete(name);
      const newer = this.#releaseNewer(leaving);
      if (newer !== undefined && !saysTheSame(newer, leaving.queued.work)) this.#enqueue(newer);
    }
  }

  /** These were not answered, or not clearly: they, or their newer versions, wait again, in front. */
  putBack(names: readonly string[]): void {
    for (const name of names.toReversed()) {
      const leaving = this.#inFlight.get(name);
      if (leaving === undefined) continue;
      this.#inFlight.delete(name);
      const { queued } = leaving;
      const work = this.#releaseNewer(leaving) ?? queued.work;
      const lane = laneFor(work, queued);
      this.#lanes[lane].putBack(name, { work, lane, arrival: queued.arrival });
    }
  }

  #leave(taken: readonly Queued[]): Work[] {
    return taken.map((queued) => {
      this.#inFlight.set(queued.work.name, { queued, newer: undefined });
      return queued.work;
    });
  }

  #releaseNewer(leaving: InFlight): Work | undefined {
    const { newer } = leaving;
    if (newer !== undefined) this.#held -= 1;
    leaving.newer = undefined;
    return newer;
  }

  #enqueue(work: Work): void {
    const present = this.#find(work.name);
    const lane = laneFor(work, present);
    if (present !== undefined && present.lane !== lane) this.#remove(work.name);
    const arrival = present?.lane === lane ? present.arrival : this.#arrivals++;
    this.#lanes[lane].put(work.name, { work, lane, arrival });
  }

  #find(name: string): Queued | undefined {
    for (const lane of LANES) {
      const queued = this.#lanes[lane].get(name);
      if (queued !== undefined) return queued;
    }
    return undefined;
  }

  #remove(name: string): void {
    for (const lane of LANES) this.#lanes[lane].remove(name);
  }
}

/** An upsert keeps the better place of the upsert that it replaces. */
function laneFor(work: Work, replaced: Queued | undefined): LaneName {
  if (work.action === 'delete') return 'delete';
  if (replaced === undefined || replaced.lane === 'delete') return work.reason;
  return UPSERT_LANES.find((lane) => lane === work.reason || lane === replaced.lane) ?? work.reason;
}

function saysTheSame(a: Work, b: Work): boolean {
  if (a.action === 'upsert' && b.action === 'upsert') return a.found.revision === b.found.revision;
  return a.action === b.action;
}
