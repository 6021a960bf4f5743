import { parseDiscoveredName, placeName, placeOfName } from '@tagplane/serverinfo';
import type { FoundInstance, FoundPlatform, FoundState } from '@tagplane/serverinfo';
import type { InstanceKey } from '@tagplane/identity';
import type { Scope, ScopeSet } from './estate/scope.ts';

/** What was found in a scope, by ServerInfo name. */
export type ScopeFindings = ReadonlyMap<string, FoundInstance>;

/** An instance as those see it who do more with it than label it. */
export interface InventoryInstance {
  readonly key: InstanceKey;
  readonly state: FoundState;
  readonly platform: FoundPlatform;
  /** The one that decides on it: of the first block that has it. */
  readonly scope: Scope;
}

/** What a targeted look said of an instance in one scope. */
interface Look {
  readonly askedAt: number;
  /** Undefined: it is not there, or not what the scope looks for. */
  readonly found: FoundInstance | undefined;
}

interface ScopeState {
  findings: Map<string, FoundInstance>;
  /** When the last complete scan began to ask; undefined before it. */
  scannedFrom: number | undefined;
  /** Since the last complete scan: one that is under way may have asked before them. */
  readonly looks: Map<string, Look>;
}

const NOTHING: ScopeFindings = new Map();

/**
 * What this process believes to be there: of every scope the last complete scan, and what targeted looks said
 * since. At most two scans' worth of one scope are held at a time, and they share their texts.
 */
export class Inventory {
  readonly #scopes: ScopeSet;
  readonly #states = new Map<string, ScopeState>();
  /** Scopes by the place of a name, as long as the set is this one. */
  readonly #places = new Map<string, readonly Scope[]>();
  #placesOf: readonly Scope[] | undefined;

  constructor(scopes: ScopeSet) {
    this.#scopes = scopes;
  }

  /** What is believed of a scope; empty before anything is known. */
  of(scope: string): ScopeFindings {
    return this.#states.get(scope)?.findings ?? NOTHING;
  }

  /** Whether the scope has been scanned to its end. */
  has(scope: string): boolean {
    return this.#states.get(scope)?.scannedFrom !== undefined;
  }

  /**
   * A complete scan takes the place of what was believed of the scope, but for looks that asked later.
   *
   * @param findings the caller's no longer
   * @param scannedFrom when the scan asked first
   * @returns names that no scope has any more
   */
  replace(scope: string, findings: Map<string, FoundInstance>, scannedFrom: number): string[] {
    const state = this.#state(scope);
    const before = state.findings;
    state.findings = findings;
    state.scannedFrom = scannedFrom;
    for (const [name, look] of state.looks) overrule(state, name, look);
    // Whatever scan comes next asks later than these did.
    state.looks.clear();
    return this.#withoutAny(before);
  }

  /**
   * A targeted look at one instance in one scope.
   *
   * @returns whether it said something newer than was known
   */
  look(scope: string, name: string, look: Look): boolean {
    const state = this.#state(scope);
    if ((state.looks.get(name)?.askedAt ?? -Infinity) > look.askedAt) return false;
    state.looks.set(name, look);
    return overrule(state, name, look);
  }

  /**
   * A scope is no more.
   *
   * @returns names that no scope has any more
   */
  remove(scope: string): string[] {
    const before = this.of(scope);
    this.#states.delete(scope);
    return this.#withoutAny(before);
  }

  /** The word that counts on an instance; only scopes of its place are asked. */
  find(name: string): FoundInstance | undefined {
    return this.#winner(name)?.found;
  }

  /** Every instance once, in the word that counts on it. */
  *all(): Iterable<FoundInstance> {
    for (const { found } of this.#winners()) yield found;
  }

  /** The same, with the scope that decides on it. */
  *instances(): Iterable<InventoryInstance> {
    for (const { found, scope } of this.#winners()) {
      const key = parseDiscoveredName(found.name);
      if (key !== undefined) yield { key, state: found.state, platform: found.platform, scope };
    }
  }

  *#winners(): Iterable<{ found: FoundInstance; scope: Scope }> {
    for (const { id } of this.#scopes.current()) {
      for (const found of this.of(id).values()) {
        const winner = this.#winner(found.name);
        if (winner?.found === found) yield winner;
      }
    }
  }

  /**
   * The first block that has it decides, whichever looked last. Where blocks make the same of an instance the
   * latest word on it is taken, and that it is terminated is taken from anyone: it never is not again.
   */
  #winner(name: string): { found: FoundInstance; scope: Scope } | undefined {
    let winner: { found: FoundInstance; scope: Scope } | undefined;
    for (const scope of this.#at(name)) {
      const found = this.#states.get(scope.id)?.findings.get(name);
      if (found === undefined) continue;
      if (winner === undefined) winner = { found, scope };
      else if (
        found.state === 'terminated' ? winner.found.state !== 'terminated' : isLater(found, scope, winner)
      ) {
        winner = { found, scope: winner.scope };
      }
    }
    return winner;
  }

  #at(name: string): readonly Scope[] {
    const current = this.#scopes.current();
    if (current !== this.#placesOf) {
      this.#places.clear();
      this.#placesOf = current;
    }
    const place = placeOfName(name);
    let scopes = this.#places.get(place);
    if (scopes === undefined) {
      const key = parseDiscoveredName(name);
      scopes = key === undefined ? [] : this.#scopes.at(key);
      // Parsed anew, since the name's own part would hold on to the whole of it.
      if (key !== undefined) this.#places.set(placeName(key), scopes);
    }
    return scopes;
  }

  #withoutAny(names: ScopeFindings): string[] {
    return [...names.keys()].filter((name) => this.find(name) === undefined);
  }

  #state(scope: string): ScopeState {
    const known = this.#states.get(scope);
    if (known !== undefined) return known;
    const state: ScopeState = { findings: new Map(), scannedFrom: undefined, looks: new Map() };
    this.#states.set(scope, state);
    return state;
  }
}

function isLater(
  found: FoundInstance,
  scope: Scope,
  winner: { found: FoundInstance; scope: Scope },
): boolean {
  if (scope.carry !== winner.scope.carry || winner.found.state === 'terminated') return false;
  return found.observedAt > winner.found.observedAt;
}

/** Lets a look have its way, unless the scope's scan asked later. */
function overrule(state: ScopeState, name: string, { askedAt, found }: Look): boolean {
  const present = state.findings.get(name);
  const heardAt = present?.observedAt ?? state.scannedFrom ?? -Infinity;
  if (heardAt > askedAt) return false;
  if (found === undefined) return state.findings.delete(name);
  state.findings.set(name, found);
  return true;
}
