import type { Commands } from '@tagplane/aws';
import type { InstanceId } from '@tagplane/identity';
import { placeText } from './facts.ts';
import type { Place, SsmPlace } from './facts.ts';

/** How SSM is reached for one account and region. */
export type OpenCommands = (place: Place) => Commands;

const UNKNOWN: SsmPlace = { kind: 'unknown' };

interface Known {
  readonly commands: Commands;
  facts: SsmPlace;
  /** When it was last asked; undefined: never. */
  askedAt: number | undefined;
  /** Sending failed for a reason that is the place's; nothing begins there until then. */
  paused: { readonly until: number; readonly reason: string } | undefined;
}

/** SSM at each account and region: its connections, and what it said last. */
export class SsmPlaces implements Disposable {
  readonly #open: OpenCommands;
  readonly #known = new Map<string, Known>();

  constructor(open: OpenCommands) {
    this.#open = open;
  }

  /** As it stands now; a place that is paused says why. */
  facts(place: Place, now: number): SsmPlace {
    const known = this.#known.get(placeText(place));
    if (known?.paused !== undefined && now < known.paused.until) {
      return { kind: 'failing', reason: known.paused.reason };
    }
    return known?.facts ?? UNKNOWN;
  }

  commands(place: Place): Commands {
    return this.#of(place).commands;
  }

  /** Whether it is time to ask again: at once for a new place. */
  isDue(place: Place, everyMs: number, now: number): boolean {
    const { askedAt } = this.#of(place);
    return askedAt === undefined || now - askedAt >= everyMs;
  }

  /** What it said: all instances that it manages there. */
  told(place: Place, online: ReadonlyMap<InstanceId, boolean>, now: number): void {
    Object.assign(this.#of(place), { facts: { kind: 'known', online } satisfies SsmPlace, askedAt: now });
  }

  /** It did not tell. What it said before stands, if it said anything. */
  failed(place: Place, reason: string, now: number): void {
    const known = this.#of(place);
    known.askedAt = now;
    if (known.facts.kind !== 'known') known.facts = { kind: 'failing', reason };
  }

  /** Nothing is to begin there for a while. */
  pause(place: Place, reason: string, until: number): void {
    this.#of(place).paused = { reason, until };
  }

  [Symbol.dispose](): void {
    for (const { commands } of this.#known.values()) commands[Symbol.dispose]();
    this.#known.clear();
  }

  #of(place: Place): Known {
    const id = placeText(place);
    let known = this.#known.get(id);
    if (known === undefined) {
      known = { commands: this.#open(place), facts: UNKNOWN, askedAt: undefined, paused: undefined };
      this.#known.set(id, known);
    }
    return known;
  }
}
