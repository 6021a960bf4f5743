import { Gauge, MINUTE, SECOND, isAbort, sleep } from '@tagplane/runtime';
import type { Logger, Registry } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import type { Leases } from './leases.ts';
import type { Replicas } from './replicas.ts';
import { SCOPE_PREFIX, decodeScope } from './scope-reports.ts';
import type { StoredScope } from './scope-reports.ts';

/** For people and figures: a scan takes longer. */
const LOOK_EVERY_MS = 10 * SECOND;
const PAGE = 1_000;
/** The scopes of twenty full groups. */
const MAX_SCOPES = 100_000;
/** Lines in a status; a person then lists the scopes. */
const MAX_LINES = 10;
/** A lease that is not renewed ends within 20 s, and is taken by a standby within 5 more. */
const LEADERLESS_MS = MINUTE / 2;

export interface DiscoveryWatchOptions {
  readonly leases: Leases;
  readonly replicas: Replicas;
  /** Of the reports. */
  readonly store: Store;
  readonly registry: Registry;
  readonly log: Logger;
  /** Unix milliseconds; default Date.now. */
  readonly now?: () => number;
}

type Failing = Pick<StoredScope, 'group' | 'id' | 'problem'>;

/** Looks every few seconds at how the discoveries do: for figures and the status, not for decisions. */
export class DiscoveryWatch {
  readonly #options: DiscoveryWatchOptions;
  readonly #now: () => number;
  /** The groups that were heard of, and since when they have no leader. */
  #groups: ReadonlyMap<string, number | undefined> = new Map();
  #scopes: Readonly<Record<StoredScope['state'], number>> = { pending: 0, ok: 0, failing: 0 };
  #failing: readonly Failing[] = [];

  constructor(options: DiscoveryWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    const registers = [options.registry];
    const groups = (led: boolean): number =>
      [...this.#groups.values()].filter((since) => (since === undefined) === led).length;
    new Gauge({
      name: 'tagplane_auth_discovery_groups',
      help: 'Discovery groups that were heard of, by whether a replica holds the lease: yes or no.',
      labelNames: ['lease'],
      registers,
      collect() {
        this.set({ lease: 'yes' }, groups(true));
        this.set({ lease: 'no' }, groups(false));
      },
    });
    const scopes = () => Object.entries(this.#scopes);
    new Gauge({
      name: 'tagplane_auth_discovery_scopes',
      help: 'Scopes that the discovery groups reported, by state: pending, ok or failing.',
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, count] of scopes()) this.set({ state }, count);
      },
    });
  }

  /** A line for each scope that fails and each group that nobody leads, with what to do. */
  problems(): string[] {
    const now = this.#now();
    const leaderless = [...this.#groups].flatMap(([group, since]) =>
      since === undefined || now - since < LEADERLESS_MS ? [] : [leaderlessLine(group)],
    );
    const lines = [...leaderless, ...this.#failing.slice(0, MAX_LINES).map(failingLine)];
    const more = this.#scopes.failing - Math.min(this.#failing.length, MAX_LINES);
    if (more > 0) lines.push(`discovery: ${more} more scopes fail; tagctl discovery scopes lists them`);
    return lines;
  }

  /** Looks again and again until the signal aborts; a store that is away is somebody else's to report. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.look(signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        this.#options.log.debug({ event: 'discovery_watch_failed', err: error });
      }
      await sleep(LOOK_EVERY_MS, signal);
    }
  }

  async look(signal: AbortSignal): Promise<void> {
    const { leases, replicas } = this.#options;
    const counts = { pending: 0, ok: 0, failing: 0 };
    const failing: Failing[] = [];
    const reporting = new Set<string>();
    for await (const { group, id, state, problem } of this.#scopesOf(signal)) {
      counts[state] += 1;
      reporting.add(group);
      if (state === 'failing' && failing.length < MAX_LINES) failing.push({ group, id, problem });
    }
    const [held, seen] = await Promise.all([leases.list(signal), replicas.list(signal)]);
    const led = new Set(held.map(({ group }) => group));
    const names = new Set([...led, ...seen.map(({ group }) => group), ...reporting]);
    const now = this.#now();
    const since = (group: string) => (led.has(group) ? undefined : (this.#groups.get(group) ?? now));
    this.#groups = new Map([...names].sort().map((group) => [group, since(group)]));
    this.#scopes = counts;
    this.#failing = failing;
  }

  async *#scopesOf(signal: AbortSignal): AsyncGenerator<StoredScope, void> {
    let after: string | undefined;
    for (let read = 0; read < MAX_SCOPES; read += PAGE) {
      const range = { prefix: SCOPE_PREFIX, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const entries = await this.#options.store.range(range, { signal });
      for (const entry of entries) {
        const scope = decodeScope(entry);
        if (scope !== undefined) yield scope;
      }
      if (entries.length < PAGE) return;
      after = entries.at(-1)?.key;
    }
  }
}

function leaderlessLine(group: string): string {
  return `discovery: no replica leads the group ${group}: nothing is scanned for it; tagctl discovery status shows its replicas`;
}

function failingLine({ group, id, problem }: Failing): string {
  return `discovery: the scope ${id} of ${group} fails: ${problem || 'no reason was given'}`;
}
