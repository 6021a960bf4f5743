import { randomBytes } from 'node:crypto';
import { HOUR, fullJitter, sleep } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { Expected, Store } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import { HOLD_PREFIX, decodeHold, encodeHold } from './hold.ts';
import type { Hold } from './hold.ts';
import { HoldWatch } from './hold-watch.ts';
import { createGuardMetrics } from './metrics.ts';
import { RecentNodes } from './recent-nodes.ts';
import { MAX_HOLDS, listHolds } from './stored-holds.ts';
import { EMPTY_WINDOW, decodeWindow, encodeWindow, judge, withHold } from './window.ts';
import type { Judgement, ScopeWindow, Thresholds, Weighed } from './window.ts';

export const WINDOW_PREFIX = 'guard/window/';
export const REQUEST_PREFIX = 'guard/request/';
/** Whoever asks again and again asks at least every 20 min; a hold that nobody asks about is over. */
const FOLLOWED_TTL_MS = 2 * HOUR;
/** A request of a person waits for a week, and what was decided is shown for a week. */
const KEPT_MS = 7 * 24 * HOUR;
/** Writes for one scope at once: each lets one of them through. */
const CONFLICT_RETRY = { baseMs: 2, maxMs: 100 };

export interface GuardOptions {
  /** Of what decides who may do what. */
  readonly store: Store;
  readonly thresholds: Thresholds;
  readonly audit: Audit;
  readonly registry: Registry;
  /** Unix milliseconds; default Date.now. */
  readonly now?: () => number;
}

/** Somebody who asks, from where. */
export interface GuardCaller {
  readonly actor: string;
  readonly remoteAddress: string | undefined;
}

export type Verdict =
  { readonly verdict: 'go' } | { readonly verdict: 'held' | 'dropped'; readonly hold: Hold };

/** There are as many holds as there may be. */
export class TooManyHoldsError extends Error {
  override readonly name = 'TooManyHoldsError';
}

interface Loaded {
  readonly window: ScopeWindow;
  readonly expected: Expected;
  readonly holds: ReadonlyMap<string, { readonly hold: Hold; readonly revision: number }>;
}

/**
 * Weighs changes against what went before in their scope, and keeps those that are a person's to decide.
 * Several auth processes agree by the store: a scope's window is one record, written with its revision.
 */
export class Guard {
  readonly thresholds: Thresholds;
  /** Of operators' changes. */
  readonly recent: RecentNodes;
  readonly #store: Store;
  readonly #audit: Audit;
  readonly #now: () => number;
  readonly #watch: HoldWatch;
  readonly #metrics;

  constructor({ store, thresholds, audit, registry, now = () => Date.now() }: GuardOptions) {
    this.thresholds = thresholds;
    this.#store = store;
    this.#audit = audit;
    this.#now = now;
    this.recent = new RecentNodes(thresholds.windowMs, now);
    const watch = new HoldWatch(store);
    this.#watch = watch;
    this.#metrics = createGuardMetrics(registry, (state) => watch.count(state));
  }

  /** A line for each hold that waits. */
  problems(): readonly string[] {
    return this.#watch.problems();
  }

  /** Follows the holds until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#watch.run(signal, this.#metrics);
  }

  /**
   * Whether a change may go on. Rejects as the store does.
   *
   * @param windowName scopes whose changes add up have one name
   * @param request what is to be carried out on release; undefined: whoever asks will ask again
   * @throws TooManyHoldsError
   */
  async ask(
    change: Weighed,
    { windowName, request, caller }: { windowName: string; request?: string; caller: GuardCaller },
    signal: AbortSignal,
  ): Promise<Verdict> {
    for (let attempt = 0; ; attempt += 1) {
      const loaded = await this.#load(windowName, signal);
      const holds = [...loaded.holds.values()].map(({ hold }) => hold);
      const judgement = judge(change, { window: loaded.window, holds }, this.thresholds, this.#now());
      const verdict = await this.#carryOut(
        judgement,
        { change, windowName, request, caller, loaded },
        signal,
      );
      if (verdict !== undefined) {
        this.#metrics.requests.inc({ verdict: verdict.verdict });
        return verdict;
      }
      await sleep(fullJitter(attempt, CONFLICT_RETRY), signal);
    }
  }

  /** What the guard would say, without keeping anything. */
  async wouldHold(change: Weighed, windowName: string, signal: AbortSignal): Promise<boolean> {
    const { window, holds } = await this.#load(windowName, signal);
    const known = [...holds.values()].map(({ hold }) => hold);
    return judge(change, { window, holds: known }, this.thresholds, this.#now()).verdict !== 'go';
  }

  list(signal: AbortSignal): Promise<readonly Hold[]> {
    return listHolds(this.#store, signal);
  }

  /**
   * An operator decides. One that has been decided already is answered as it stands.
   *
   * @returns undefined when there is no such hold; `request` is what is to be carried out now: told again
   *   until `carriedOut`, so that a process that ends in between loses nothing
   */
  async decide(
    id: string,
    state: 'released' | 'dropped',
    caller: GuardCaller,
    signal: AbortSignal,
  ): Promise<{ readonly hold: Hold; readonly request: string | undefined } | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const [found, request] = await this.#store.getMany([HOLD_PREFIX + id, REQUEST_PREFIX + id], { signal });
      const hold = found?.state === 'live' ? decodeHold(found) : undefined;
      if (found?.state !== 'live' || hold === undefined) return undefined;
      const carry = state === 'released' && request?.state === 'live' ? request.value : undefined;
      if (hold.state !== 'held') return { hold, request: hold.state === 'released' ? carry : undefined };
      const decided: Hold = { ...hold, state, decidedBy: caller.actor, decidedAt: this.#now() };
      if (await this.#put(decided, KEPT_MS, { revision: found.revision }, signal)) {
        this.#record(state, decided, caller);
        if (carry === undefined) await this.#store.delete([{ key: REQUEST_PREFIX + id }], { signal });
        return { hold: decided, request: carry };
      }
      await sleep(fullJitter(attempt, CONFLICT_RETRY), signal);
    }
  }

  /** What was asked for is done: adds to the hold what came of it, and forgets the request. */
  async carriedOut(hold: Hold, outcome: string, signal: AbortSignal): Promise<Hold> {
    const described = { ...hold, description: `${hold.description}; ${outcome}` };
    await this.#put(described, KEPT_MS, undefined, signal);
    await this.#store.delete([{ key: REQUEST_PREFIX + hold.id }], { signal });
    return described;
  }

  async #load(windowName: string, signal: AbortSignal): Promise<Loaded> {
    const [found] = await this.#store.getMany([WINDOW_PREFIX + windowName], { signal });
    if (found?.state !== 'live') return { window: EMPTY_WINDOW, expected: { live: false }, holds: new Map() };
    const window = decodeWindow(found.value);
    const keys = window.holds.map((id) => HOLD_PREFIX + id);
    const items = keys.length === 0 ? [] : await this.#store.getMany(keys, { signal });
    const holds = new Map<string, { hold: Hold; revision: number }>();
    for (const item of items) {
      const hold = item.state === 'live' ? decodeHold(item) : undefined;
      if (item.state === 'live' && hold !== undefined) holds.set(hold.id, { hold, revision: item.revision });
    }
    return { window, expected: { revision: found.revision }, holds };
  }

  /** @returns undefined when somebody else wrote meanwhile: it is to be judged again */
  async #carryOut(judgement: Judgement, asked: Asked, signal: AbortSignal): Promise<Verdict | undefined> {
    switch (judgement.verdict) {
      case 'dropped':
        return { verdict: 'dropped', hold: judgement.hold };
      case 'again':
        return (await this.#refresh(judgement.hold, asked, signal))
          ? { verdict: 'held', hold: judgement.hold }
          : undefined;
      case 'hold':
        return await this.#hold(judgement.nodesChangedBefore, asked, signal);
      case 'go':
        break;
    }
    const { window, over } = judgement;
    if (window !== undefined && !(await this.#putWindow(window, asked, signal))) return undefined;
    if (over !== undefined) await this.#end(over, asked, signal);
    return { verdict: 'go' };
  }

  async #hold(nodesChangedBefore: number, asked: Asked, signal: AbortSignal): Promise<Verdict | undefined> {
    if ((await this.#store.count(HOLD_PREFIX, { signal })) >= MAX_HOLDS) {
      throw new TooManyHoldsError('too many changes are held: release or drop some');
    }
    const { follows, ...change } = asked.change;
    const hold: Hold = {
      ...change,
      id: randomBytes(8).toString('hex'),
      nodesChangedBefore,
      state: 'held',
      heldAt: this.#now(),
      decidedBy: '',
      decidedAt: undefined,
    };
    // Whoever is second finds the first one's hold here.
    if (!(await this.#putWindow(withHold(asked.loaded.window, hold.id), asked, signal))) return undefined;
    if (asked.request !== undefined) {
      const put = { key: REQUEST_PREFIX + hold.id, value: asked.request, ttlMs: KEPT_MS };
      await this.#store.put([put], { signal });
    }
    await this.#put(hold, follows ? FOLLOWED_TTL_MS : KEPT_MS, { live: false }, signal);
    this.#record('held', hold, asked.caller);
    return { verdict: 'held', hold };
  }

  async #refresh(hold: Hold, { change, loaded }: Asked, signal: AbortSignal): Promise<boolean> {
    const revision = loaded.holds.get(hold.id)?.revision;
    if (!change.follows || revision === undefined) return true;
    return await this.#put(hold, FOLLOWED_TTL_MS, { revision }, signal);
  }

  /** Whoever asked for it does not any more. */
  async #end(hold: Hold, { caller, loaded }: Asked, signal: AbortSignal): Promise<void> {
    const revision = loaded.holds.get(hold.id)?.revision ?? 0;
    const ended: Hold = { ...hold, state: 'dropped', decidedBy: caller.actor, decidedAt: this.#now() };
    if (await this.#put(ended, KEPT_MS, { revision }, signal)) this.#record('dropped', ended, caller);
  }

  async #putWindow(
    window: ScopeWindow,
    { windowName, loaded }: Asked,
    signal: AbortSignal,
  ): Promise<boolean> {
    const value = encodeWindow(window);
    const put = { key: WINDOW_PREFIX + windowName, value, ttlMs: KEPT_MS, expected: loaded.expected };
    const [result] = await this.#store.put([put], { signal });
    return result?.written === true;
  }

  async #put(
    hold: Hold,
    ttlMs: number,
    expected: Expected | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const put = { key: HOLD_PREFIX + hold.id, value: encodeHold(hold), ttlMs };
    const [result] = await this.#store.put([expected === undefined ? put : { ...put, expected }], { signal });
    return result?.written === true;
  }

  #record(what: Hold['state'], hold: Hold, caller: GuardCaller): void {
    this.#audit.record({
      code: `guard.${what}`,
      result: 'ok',
      ...caller,
      subjects: [hold.id],
      details: {
        scope: hold.scope,
        nodes_changed: String(hold.nodesChanged),
        nodes_total: String(hold.nodesTotal),
        nodes_changed_before: String(hold.nodesChangedBefore),
        requested_by: hold.requestedBy,
        samples: hold.samples.join(' '),
      },
    });
  }
}

interface Asked {
  readonly change: Weighed;
  readonly windowName: string;
  readonly request: string | undefined;
  readonly caller: GuardCaller;
  readonly loaded: Loaded;
}
