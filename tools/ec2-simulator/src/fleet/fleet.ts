import { AwsError } from '../aws-error.ts';
import { createReadDraws, describedAs, rememberPast } from './consistency.ts';
import type { ConsistencyOptions, ReadDraws } from './consistency.ts';
import { settled, stateAt } from './instance.ts';
import type { InstanceState, SimInstance, StateChange } from './instance.ts';
import { hashText, hexOf, mix } from './random.ts';
import { RegionFleet } from './region-fleet.ts';
import { seedTags } from './seed-tags.ts';
import { checkTagCount, checkTagText } from './tag-rules.ts';

/** Accounts cannot start more: the memory of 100,000 instances is what the simulator is sized for. */
const MAX_INSTANCES = 250_000;
/** Seeded reservations hold one to this many instances. */
const SEEDED_RESERVATION = 5;
/** Seeded instances were started within the 90 days before this instant, the same in every run. */
const SEED_TIME = Date.UTC(2026, 0, 1);
const SEED_SPAN_MS = 90 * 24 * 60 * 60 * 1000;

export interface FleetOptions {
  readonly seed: number;
  readonly instances: number;
  readonly regions: readonly string[];
  /** The account that the seeded instances belong to. */
  readonly account: string;
  /** How long pending, stopping and shutting-down last, in milliseconds. */
  readonly transitionMs: number;
  /** How long a terminated instance is still described, in milliseconds. */
  readonly lingerMs: number;
  readonly now: () => number;
  /** The accounts that share the seeded instances; default `account` alone. */
  readonly accounts?: readonly string[] | undefined;
  /** Whether an account has enabled a region; default all. */
  readonly usable?: (account: string, region: string) => boolean;
  /** Of a hundred seeded instances, how many run Windows. Default 0. */
  readonly windowsPercent?: number | undefined;
  /** How far describes are behind. Default not at all. */
  readonly consistency?: ConsistencyOptions | undefined;
}

export interface RunRequest {
  readonly account: string;
  readonly region: string;
  readonly count: number;
  readonly tags: ReadonlyMap<string, string>;
  readonly imageId?: string | undefined;
  readonly instanceType?: string | undefined;
  readonly windows?: boolean | undefined;
}

/** Something that AWS would make an event of. */
export type FleetChange =
  | {
      readonly kind: 'state';
      readonly instance: SimInstance;
      readonly state: InstanceState;
      /** When the instance is in that state, in Unix milliseconds: now, or to come. */
      readonly at: number;
    }
  | {
      readonly kind: 'tags';
      readonly instance: SimInstance;
      readonly before: ReadonlyMap<string, string>;
      readonly after: ReadonlyMap<string, string>;
      /** The call of EC2's API that did it; undefined: the control API. */
      readonly by: 'CreateTags' | 'DeleteTags' | undefined;
      readonly at: number;
    };

const IMMEDIATE: ConsistencyOptions = { lagMs: 0, staleReads: 0 };

/** All simulated instances. Every method takes the clock from the options; nothing here runs by itself. */
export class Fleet {
  readonly options: FleetOptions;
  #regions = new Map<string, RegionFleet>();
  #reservations = 0;
  readonly #draws = new Map<string, ReadDraws>();
  readonly #listeners: ((change: FleetChange) => void)[] = [];

  constructor(options: FleetOptions) {
    this.options = options;
    this.reset();
  }

  get size(): number {
    let size = 0;
    for (const region of this.#regions.values()) size += region.size;
    return size;
  }

  /** Back to the seeded fleet. */
  reset(): void {
    const { instances, regions, account: main, accounts = [main], usable = () => true } = this.options;
    this.#regions = new Map();
    this.#draws.clear();
    this.#reservations = 0;
    const places = accounts.flatMap((account) =>
      regions.filter((region) => usable(account, region)).map((region) => ({ account, region })),
    );
    for (const [index, { account, region }] of places.entries()) {
      const share = Math.floor((instances + places.length - 1 - index) / places.length);
      this.#seed(account, region, share, this.#saltOf(account, region));
    }
  }

  /** An instance as EC2 describes it now, which may be behind; undefined: it is not shown yet. */
  described(instance: SimInstance, stale = false): SimInstance | undefined {
    const { consistency = IMMEDIATE, now, seed } = this.options;
    if (instance.past === undefined) return instance;
    const key = `${instance.account}/${instance.region}`;
    const draws = this.#draws.get(key) ?? createReadDraws(mix(seed, hashText(key)));
    this.#draws.set(key, draws);
    return describedAs(instance, now(), consistency, draws, stale);
  }

  /** Tells of every change from now on; seeded instances are none. */
  onChange(listener: (change: FleetChange) => void): void {
    this.#listeners.push(listener);
  }

  hasRegion(region: string): boolean {
    return this.options.regions.includes(region);
  }

  get(account: string, region: string, id: string): SimInstance | undefined {
    return this.#region(account, region).get(id, this.options.now(), this.options.lingerMs);
  }

  /** Instances of a region in order, after a place in that order (0: from the first). */
  after(account: string, region: string, sequence: number): Iterable<SimInstance> {
    return this.#region(account, region).after(sequence, this.options.now(), this.options.lingerMs);
  }

  /** Starts instances under one reservation. Throws AwsError when there would be too many. */
  run(request: RunRequest): SimInstance[] {
    if (this.size + request.count > MAX_INSTANCES) {
      throw new AwsError('InstanceLimitExceeded', `You have requested more than ${MAX_INSTANCES} instances`);
    }
    const now = this.options.now();
    const salt = this.#saltOf(request.account, request.region);
    const reservationId = this.#reservationId(salt);
    const region = this.#region(request.account, request.region);
    return Array.from({ length: request.count }, (_, launchIndex) => {
      const instance = this.#make(request, region.takeSequence(), {
        reservationId,
        launchIndex,
        launchTime: now,
        tags: new Map(request.tags),
        change: { from: 'pending', to: 'running', at: now + this.options.transitionMs },
        windows: request.windows ?? false,
      });
      this.#remember(instance, undefined, now);
      region.add(instance);
      this.#tellChange(instance, now);
      return instance;
    });
  }

  /** Moves an instance towards a state through the one that leads there. */
  transition(instance: SimInstance, through: InstanceState, to: InstanceState): void {
    const now = this.options.now();
    this.#remember(instance, instance.change, now);
    instance.change = { from: through, to, at: now + this.options.transitionMs };
    this.#tellChange(instance, now);
  }

  /** Puts an instance into a state at once. */
  setState(instance: SimInstance, state: InstanceState): void {
    const change: StateChange = settled(state);
    const at = this.options.now();
    this.#remember(instance, instance.change, at);
    instance.change = state === 'terminated' ? { ...change, at } : change;
    this.#tell({ kind: 'state', instance, state, at });
  }

  /** An instance that was terminated so long ago that EC2 has forgotten it. */
  vanish(instance: SimInstance): void {
    const { now, lingerMs } = this.options;
    instance.change = { ...settled('terminated'), at: now() - lingerMs };
    instance.past = undefined;
  }

  stateOf(instance: SimInstance): InstanceState {
    return stateAt(instance, this.options.now());
  }

  /**
   * Replaces an instance's tags, AWS's own among them. Throws AwsError, and changes nothing, when EC2
   * could not have them.
   */
  replaceTags(
    instance: SimInstance,
    tags: ReadonlyMap<string, string>,
    by?: 'CreateTags' | 'DeleteTags',
  ): void {
    for (const [key, value] of tags) checkTagText(key, value);
    checkTagCount(tags);
    const before = instance.tags;
    const after = new Map(tags);
    const at = this.options.now();
    this.#remember(instance, instance.change, at);
    instance.tags = after;
    this.#tell({ kind: 'tags', instance, before, after, by, at });
  }

  #remember(instance: SimInstance, change: StateChange | undefined, now: number): void {
    const { lagMs } = this.options.consistency ?? IMMEDIATE;
    rememberPast(instance, { tags: instance.tags, change, until: now }, 2 * lagMs);
  }

  /** An instance's two states: the one it is in from now on, and the one that follows. */
  #tellChange(instance: SimInstance, now: number): void {
    const { from, to, at } = instance.change;
    this.#tell({ kind: 'state', instance, state: from, at: now });
    this.#tell({ kind: 'state', instance, state: to, at });
  }

  #tell(change: FleetChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #seed(account: string, name: string, count: number, salt: number): void {
    const region = this.#region(account, name);
    const { windowsPercent = 0 } = this.options;
    let reservationId = '';
    let left = 0;
    let launchIndex = 0;
    for (let i = 0; i < count; i += 1) {
      if (left === 0) {
        reservationId = this.#reservationId(salt);
        left = 1 + (mix(salt, i) % SEEDED_RESERVATION);
        launchIndex = 0;
      }
      const sequence = region.takeSequence();
      region.add(
        this.#make({ account, region: name }, sequence, {
          reservationId,
          launchIndex,
          launchTime: SEED_TIME - Math.floor(((mix(salt, sequence) % 1000) / 1000) * SEED_SPAN_MS),
          tags: seedTags(mix(salt, sequence), name),
          change: settled('running'),
          windows: mix(mix(salt, sequence), 40) % 100 < windowsPercent,
        }),
      );
      left -= 1;
      launchIndex += 1;
    }
  }

  #make(
    of: { account: string; region: string; imageId?: string | undefined; instanceType?: string | undefined },
    sequence: number,
    parts: Pick<SimInstance, 'reservationId' | 'launchIndex' | 'launchTime' | 'tags' | 'change' | 'windows'>,
  ): SimInstance {
    const salt = mix(this.#saltOf(of.account, of.region), sequence);
    // The place in the id keeps ids apart even where two salts are the same.
    const place = mix(sequence, hashText(of.account)).toString(16).padStart(8, '0');
    return {
      account: of.account,
      region: of.region,
      id: `i-0${place}${hexOf(salt, hashText(of.account), 8)}`,
      sequence,
      salt,
      imageId: of.imageId,
      instanceType: of.instanceType,
      past: undefined,
      ...parts,
    };
  }

  /** The main account's fleet is the same whichever others there are. */
  #saltOf(account: string, region: string): number {
    const salt = mix(this.options.seed, hashText(region));
    return account === this.options.account ? salt : mix(salt, hashText(account));
  }

  #reservationId(salt: number): string {
    this.#reservations += 1;
    return `r-0${hexOf(mix(salt, this.#reservations), 40, 16)}`;
  }

  #region(account: string, region: string): RegionFleet {
    const key = `${account}/${region}`;
    let fleet = this.#regions.get(key);
    if (fleet === undefined) {
      fleet = new RegionFleet();
      this.#regions.set(key, fleet);
    }
    return fleet;
  }
}
