import { Lane } from './lane.ts';
import { MAX_EXPRESS_LENGTH } from './pacing.ts';
import type { UpsertReason, Work } from './plan.ts';

export type Deletion = Extract<Work, { action: 'delete' }>;
export type Upsert = Extract<Work, { action: 'upsert' }>;

/** Work for one request: deletions or upserts, not both. */
export type Batch =
  | { readonly action: 'delete'; readonly work: readonly Deletion[] }
  | { readonly action: 'upsert'; readonly work: readonly Upsert[] };

type LaneName = 'express' | 'delete' | UpsertReason;

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
const PACED_LANES = ['delete', ...UPSERT_LANES] as const;
const LANES = ['express', ...PACED_LANES] as const;

/**
 * What is to be sent, one item a name: a newer version takes the place of the queued one. Deletions and
 * changed labels leave first, then new instances, renewals last; within each, first in, first out. What
 * was taken is in flight until it is reported back, and nothing else for its name leaves before. Urgent
 * work has a lane of its own beside these, express, which is taken from apart; what finds it full goes the
 * common way. Never longer than the number of distinct names offered; every operation takes constant time
 * an item.
 */
export class UpsertQueue {
  readonly #lanes: Readonly<Record<LaneName, Lane<Queued>>> = {
    express: new Lane(),
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

  /** Of those, the items in the express lane. */
  get expressLength(): number {
    return this.#lanes.express.size;
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

  /** As `take`, from the express lane. */
  takeExpress(limit: number): Batch | undefined {
    const action = this.#lanes.express.peek()?.work.action;
    if (action === undefined) return undefined;
    const taken = this.#lanes.express.takeWhile(limit, ({ work }) => work.action === action);
    return batchOf(action, this.#leave(taken));
  }

  /**
   * Takes the next batch of what is not in the express lane, at most `limit` items; undefined when nothing
   * waits that may leave.
   */
  take(limit: number): Batch | undefined {
    const deletion = this.#lanes.delete.peek();
    const changed = this.#lanes.changed.peek();
    if (deletion !== undefined && (changed === undefined || deletion.arrival < changed.arrival)) {
      return batchOf('delete', this.#leave(this.#lanes.delete.take(limit)));
    }
    const work: Work[] = [];
    for (const name of UPSERT_LANES) {
      work.push(...this.#leave(this.#lanes[name].take(limit - work.length)));
    }
    return work.length === 0 ? undefined : batchOf('upsert', work);
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
      const lane = laneFor(work, queued, true);
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
    const lane = laneFor(work, present, this.#lanes.express.size < MAX_EXPRESS_LENGTH);
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

function batchOf(action: Work['action'], work: readonly Work[]): Batch {
  return action === 'delete'
    ? { action, work: work.filter((item) => item.action === 'delete') }
    : { action, work: work.filter((item) => item.action === 'upsert') };
}

/** Work keeps the express lane, and an upsert the better place of the upsert, that it replaces. */
function laneFor(work: Work, replaced: Queued | undefined, hasRoom: boolean): LaneName {
  if (replaced?.lane === 'express' || (work.urgent === true && hasRoom)) return 'express';
  if (work.action === 'delete') return 'delete';
  if (replaced === undefined || replaced.lane === 'delete') return work.reason;
  return UPSERT_LANES.find((lane) => lane === work.reason || lane === replaced.lane) ?? work.reason;
}

function saysTheSame(a: Work, b: Work): boolean {
  if (a.action === 'upsert' && b.action === 'upsert') return a.found.revision === b.found.revision;
  return a.action === b.action;
}
