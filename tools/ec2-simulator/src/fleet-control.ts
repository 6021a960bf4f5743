import { AwsError } from './aws-error.ts';
import type { Fault } from './faults.ts';
import { Faults } from './faults.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { InstanceState, SimInstance } from './fleet/instance.ts';
import { shapeOf } from './fleet/shape.ts';
import { Quotas } from './quota/quotas.ts';
import type { BucketUsage } from './quota/quotas.ts';
import { Stats } from './stats.ts';
import type { StatsReport } from './stats.ts';

/** An instance as the control side shows it. */
export interface InstanceView {
  readonly account: string;
  readonly region: string;
  readonly id: string;
  readonly reservation: string;
  readonly state: InstanceState;
  readonly vpc: string;
  readonly platform: 'linux' | 'windows';
  readonly tags: ReadonlyMap<string, string>;
}

export interface ListOptions {
  readonly region: string;
  readonly account?: string | undefined;
  /** Default 100. */
  readonly limit?: number | undefined;
  /** Only instances after the one of this id. */
  readonly after?: string | undefined;
}

export interface TagChanges {
  readonly set?: ReadonlyMap<string, string> | undefined;
  readonly unset?: Iterable<string> | undefined;
}

export interface InstanceRef {
  readonly region: string;
  readonly id: string;
  readonly account?: string | undefined;
}

export interface RunOptions {
  readonly region: string;
  readonly count: number;
  readonly tags?: ReadonlyMap<string, string> | undefined;
  readonly account?: string | undefined;
  readonly windows?: boolean | undefined;
}

export interface FleetReport extends StatsReport {
  readonly instances: number;
  readonly faultsPending: number;
  readonly quotas: readonly BucketUsage[];
}

/**
 * Changes the fleet from outside of AWS's API: what the owner of the account, and AWS itself, would do.
 * The control API over HTTP is this, and a test that embeds the simulator calls it. Every method throws
 * AwsError for what is not there or not possible.
 */
export class FleetControl {
  readonly faults: Faults;
  readonly quotas: Quotas;
  readonly stats = new Stats();
  readonly #fleet: Fleet;
  readonly #resetters: (() => void)[] = [];

  constructor(fleet: Fleet, quotas = new Quotas(false)) {
    this.#fleet = fleet;
    this.quotas = quotas;
    this.faults = new Faults(fleet.options.seed, fleet.options.now);
  }

  get regions(): readonly string[] {
    return this.#fleet.options.regions;
  }

  get size(): number {
    return this.#fleet.size;
  }

  list({ region, account, limit = DEFAULT_LIMIT, after }: ListOptions): InstanceView[] {
    this.#checkRegion(region);
    const owner = account ?? this.#fleet.options.account;
    const start = after === undefined ? 0 : this.#find({ region, account: owner, id: after }).sequence;
    const views: InstanceView[] = [];
    for (const instance of this.#fleet.after(owner, region, start)) {
      if (views.length >= limit) break;
      views.push(this.#view(instance));
    }
    return views;
  }

  get(ref: InstanceRef): InstanceView {
    return this.#view(this.#find(ref));
  }

  /** Also AWS's own tags (`aws:…`), which no user can set. */
  replaceTags(ref: InstanceRef, tags: ReadonlyMap<string, string>): InstanceView {
    const instance = this.#find(ref);
    this.#fleet.replaceTags(instance, tags);
    return this.#view(instance);
  }

  changeTags(ref: InstanceRef, { set = NO_TAGS, unset = [] }: TagChanges): InstanceView {
    const instance = this.#find(ref);
    const tags = new Map(instance.tags);
    for (const key of unset) tags.delete(key);
    for (const [key, value] of set) tags.set(key, value);
    this.#fleet.replaceTags(instance, tags);
    return this.#view(instance);
  }

  /** At once, without the state between. */
  setState(ref: InstanceRef, state: InstanceState): InstanceView {
    const instance = this.#find(ref);
    this.#fleet.setState(instance, state);
    return this.#view(instance);
  }

  run({ region, count, tags = NO_TAGS, account, windows }: RunOptions): InstanceView[] {
    this.#checkRegion(region);
    const owner = account ?? this.#fleet.options.account;
    const started = this.#fleet.run({ account: owner, region, count, tags: NO_TAGS, windows });
    for (const instance of started) this.#fleet.replaceTags(instance, tags);
    return started.map((instance) => this.#view(instance));
  }

  /** As TerminateInstances does: through shutting-down. */
  terminate(ref: InstanceRef): InstanceView {
    const instance = this.#find(ref);
    this.#fleet.transition(instance, 'shutting-down', 'terminated');
    return this.#view(instance);
  }

  /** Gone at once, never described as terminated. */
  vanish(ref: InstanceRef): void {
    this.#fleet.vanish(this.#find(ref));
  }

  addFault(fault: Partial<Fault>): void {
    const { action, region, skip = 0, count = 1, delayMs = 0, error } = fault;
    this.faults.add({ ...fault, action, region, skip, count, delayMs, error });
  }

  report(): FleetReport {
    return {
      ...this.stats.report(),
      instances: this.size,
      faultsPending: this.faults.pending,
      quotas: this.quotas.usage(),
    };
  }

  /** The seeded fleet again, no faults, all counts at zero. */
  reset(): void {
    this.#fleet.reset();
    this.faults.clear();
    this.stats.reset();
    this.quotas.reset();
    for (const reset of this.#resetters) reset();
  }

  /** What else goes back to its beginning with a reset. */
  onReset(reset: () => void): void {
    this.#resetters.push(reset);
  }

  #find({ region, id, account }: InstanceRef): SimInstance {
    this.#checkRegion(region);
    const instance = this.#fleet.get(account ?? this.#fleet.options.account, region, id);
    if (instance !== undefined) return instance;
    throw new AwsError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`, 404);
  }

  #checkRegion(region: string): void {
    if (this.#fleet.hasRegion(region)) return;
    throw new AwsError('NoSuchRegion', `The simulator has no region '${region}'`, 404);
  }

  #view(instance: SimInstance): InstanceView {
    const { account, region, id, reservationId: reservation } = instance;
    return {
      ...{ account, region, id, reservation },
      state: this.#fleet.stateOf(instance),
      vpc: shapeOf(instance).vpcId,
      platform: instance.windows ? 'windows' : 'linux',
      tags: new Map(instance.tags),
    };
  }
}

const DEFAULT_LIMIT = 100;
const NO_TAGS: ReadonlyMap<string, string> = new Map();
