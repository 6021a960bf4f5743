import { randomUUID } from 'node:crypto';
import type { Fleet, FleetChange } from '../fleet/fleet.ts';
import { stateAt } from '../fleet/instance.ts';
import type { SimInstance } from '../fleet/instance.ts';
import { mix } from '../fleet/random.ts';
import type { Queues } from '../sqs/queues.ts';
import type { SimQueue } from '../sqs/sim-queue.ts';
import { callBody, foreignBody, malformedBody, stateBody, tagBody } from './event-bodies.ts';

/** State changes (`aws.ec2`), tag changes (`aws.tag`), and CreateTags and DeleteTags by CloudTrail. */
export const EVENT_KINDS = ['state', 'tag', 'call'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface EventFeedOptions {
  /** Where to; made if there is none. Default account and region: those of the seeded fleet. */
  readonly queue: { readonly name: string; readonly account?: string; readonly region?: string };
  /** Default all. */
  readonly kinds?: readonly EventKind[];
  /** From the change to the queue, in milliseconds. Default 500. */
  readonly delayMs?: number;
  /** More by up to so much, each for itself, so that one overtakes another. Default 0. */
  readonly jitterMs?: number;
  /** The share that comes twice, 0 to 1. Default 0. */
  readonly duplicate?: number;
  /** The share that does not come, 0 to 1. Default 0. */
  readonly drop?: number;
}

/** What was sent so far. */
export interface EventFeedReport {
  readonly sent: number;
  readonly dropped: number;
  readonly duplicated: number;
  /** On their way. */
  readonly pending: number;
}

interface Feed extends Required<Omit<EventFeedOptions, 'queue'>> {
  readonly queue: SimQueue;
}

interface Parts {
  readonly fleet: Fleet;
  readonly queues: Queues;
  readonly seed: number;
  readonly now: () => number;
}

/** Makes events of the fleet's own changes, as EventBridge would, and sends them to a queue. */
export class EventFeed {
  readonly #parts: Parts;
  readonly #versions = new WeakMap<SimInstance, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #feed: Feed | undefined;
  #draws = 0;
  #turns = 0;
  #counts = { sent: 0, dropped: 0, duplicated: 0 };

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.fleet.onChange((change) => {
      this.#onChange(change);
    });
  }

  /** From now on. Throws AwsError for a queue's name that is none. */
  start(options: EventFeedOptions): SimQueue {
    const { account, regions } = this.#parts.fleet.options;
    const { queue: of, ...rest } = options;
    const queue = this.#parts.queues.create({
      name: of.name,
      account: of.account ?? account,
      region: of.region ?? regions[0] ?? 'us-east-1',
    });
    const defaults = { kinds: EVENT_KINDS, delayMs: 500, jitterMs: 0, duplicate: 0, drop: 0 };
    this.#feed = { ...defaults, ...rest, queue };
    return queue;
  }

  /** Nothing is sent any more; what is on its way is lost. */
  stop(): void {
    this.#feed = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** As it was made. */
  reset(): void {
    this.stop();
    [this.#draws, this.#turns] = [0, 0];
    this.#counts = { sent: 0, dropped: 0, duplicated: 0 };
  }

  report(): EventFeedReport {
    return { ...this.#counts, pending: this.#timers.size };
  }

  /** Sends events that are nobody's here. Nothing unless it was started. */
  sendForeign(count: number): void {
    const { account, regions } = this.#parts.fleet.options;
    const place = { account, region: regions[0] ?? 'us-east-1' };
    for (let n = 0; n < count; n += 1) {
      const body = foreignBody(place, randomUUID(), this.#parts.now(), this.#turns++);
      this.#feed?.queue.send(JSON.stringify(body), this.#parts.now());
    }
  }

  /** Sends texts that are no events. Nothing unless it was started. */
  sendMalformed(count: number): void {
    for (let n = 0; n < count; n += 1) {
      this.#feed?.queue.send(malformedBody(this.#turns++), this.#parts.now());
    }
  }

  #onChange(change: FleetChange): void {
    if (this.#feed === undefined) return;
    const { instance, at } = change;
    if (change.kind === 'state') {
      this.#emit(this.#feed, 'state', at, (id) =>
        // Something else may have come of the instance meanwhile.
        stateAt(instance, at) === change.state ? stateBody(instance, change.state, id, at) : undefined,
      );
      return;
    }
    const keys = changedKeys(change.before, change.after);
    if (keys.length === 0) return;
    const { after, by } = change;
    const version = (this.#versions.get(instance) ?? 0) + 1;
    this.#versions.set(instance, version);
    this.#emit(this.#feed, 'tag', at, (id) => tagBody(instance, { keys, after }, { id, at, version }));
    if (by === undefined) return;
    this.#emit(this.#feed, 'call', at, (id) =>
      callBody(instance, { keys, after }, { id, at, eventName: by }),
    );
  }

  #emit(feed: Feed, kind: EventKind, at: number, make: (id: string) => object | undefined): void {
    if (!feed.kinds.includes(kind)) return;
    if (this.#draw() < feed.drop) {
      this.#counts.dropped += 1;
      return;
    }
    const id = randomUUID();
    const copies = this.#draw() < feed.duplicate ? 2 : 1;
    this.#counts.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const after = at - this.#parts.now() + feed.delayMs + this.#draw() * feed.jitterMs;
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          const body = make(id);
          if (body === undefined) return;
          this.#counts.sent += 1;
          feed.queue.send(JSON.stringify(body), this.#parts.now());
        },
        Math.max(0, after),
      );
      this.#timers.add(timer);
    }
  }

  /** 0 up to, but not, 1; the same in every run. */
  #draw(): number {
    this.#draws += 1;
    return mix(this.#parts.seed, this.#draws) / 2 ** 32;
  }
}

function changedKeys(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key));
}
