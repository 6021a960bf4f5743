import type { ServerInfoDraft } from './server-info.ts';

/** What the rule looks at. */
type Assigning = Pick<ServerInfoDraft, 'name' | 'match' | 'labels'>;

/** One that matches by selector: the keys under `dynamic/` that it needs, and those that it gives. */
interface Dependency {
  readonly name: string;
  readonly needs: readonly string[];
  readonly gives: readonly string[];
}

/**
 * All ServerInfos that match by selector need and give. No selector may depend on a label that selectors
 * assign: then what a node gets depends on no order, and nobody has to follow chains to know it.
 */
export class SelectorDependencies {
  readonly #byName = new Map<string, Dependency>();
  readonly #needing = new Map<string, Set<string>>();
  readonly #giving = new Map<string, Set<string>>();

  static of(infos: Iterable<Assigning>): SelectorDependencies {
    const dependencies = new SelectorDependencies();
    for (const info of infos) dependencies.put(info);
    return dependencies;
  }

  /** How many match by selector. */
  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Takes the place of the one with its name, also when it matches by something else. */
  put(info: Assigning): void {
    this.remove(info.name);
    const dependency = dependencyOf(info);
    if (dependency === undefined) return;
    this.#byName.set(info.name, dependency);
    for (const key of dependency.needs) add(this.#needing, key, info.name);
    for (const key of dependency.gives) add(this.#giving, key, info.name);
  }

  /** Why this one may not be put, naming the other ServerInfo and the key; undefined: it may. */
  problem(info: Assigning): string | undefined {
    const dependency = dependencyOf(info);
    if (dependency === undefined) return undefined;
    const { name, needs, gives } = dependency;
    const own = needs.find((key) => gives.includes(key));
    if (own !== undefined) return cycle(`${quoted(name)} depends on ${quoted(own)}, which it assigns itself`);
    const needed = first(needs, this.#giving, name);
    const given = first(gives, this.#needing, name);
    if (needed !== undefined) {
      const back = this.#byName.get(needed.name)?.needs.find((key) => gives.includes(key));
      const chain = link(name, needed.key, needed.name);
      return back === undefined ? refused(chain) : cycle(`${chain}; ${link(needed.name, back, name)}`);
    }
    return given && refused(link(given.name, given.key, name));
  }

  remove(name: string): void {
    const before = this.#byName.get(name);
    if (before === undefined) return;
    this.#byName.delete(name);
    for (const key of before.needs) drop(this.#needing, key, name);
    for (const key of before.gives) drop(this.#giving, key, name);
  }
}

function dependencyOf({ name, match, labels }: Assigning): Dependency | undefined {
  if (match.kind !== 'selector') return undefined;
  const keys = new Set(match.selector.terms.map(({ key }) => key));
  const needs = [...keys].filter((key) => key.startsWith('dynamic/')).sort();
  return { name, needs, gives: [...labels.keys()].sort() };
}

/** The first of these keys that another one has, and the first that has it, so that the reason is stable. */
function first(
  keys: readonly string[],
  having: ReadonlyMap<string, ReadonlySet<string>>,
  except: string,
): { readonly key: string; readonly name: string } | undefined {
  for (const key of keys) {
    const [name] = [...(having.get(key) ?? [])].filter((other) => other !== except).sort();
    if (name !== undefined) return { key, name };
  }
  return undefined;
}

function link(depending: string, key: string, assigning: string): string {
  return `the selector of ${quoted(depending)} depends on ${quoted(key)}, which ${quoted(assigning)} assigns by a selector`;
}

function cycle(what: string): string {
  return refused(`a cycle: ${what}`);
}

function refused(what: string): string {
  return `${what}; a selector may not depend on a label that selectors assign`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function add(map: Map<string, Set<string>>, key: string, name: string): void {
  const names = map.get(key);
  if (names === undefined) map.set(key, new Set([name]));
  else names.add(name);
}

function drop(map: Map<string, Set<string>>, key: string, name: string): void {
  const names = map.get(key);
  names?.delete(name);
  if (names?.size === 0) map.delete(key);
}
