import { MINUTE } from '@tagplane/runtime';
import { SelectorDependencies } from '@tagplane/serverinfo';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import type { AssignedIndex } from './assigned-index.ts';

/** Selectors that one auth process keeps and asks: each node's evaluation and each change goes by all of them. */
export const MAX_SELECTORS = 2_000;

/** What the feed brings within milliseconds; a write whose echo never comes is forgotten. */
const ECHO_MS = MINUTE;

interface Write {
  /** Undefined: deleted. */
  readonly draft: ServerInfoDraft | undefined;
  readonly revision: number;
  readonly at: number;
}

/**
 * The rules that hold between ServerInfos of operators, as far as this process knows them: by its index, and
 * by what it has written itself and the feed has not brought yet. Another auth process may write at the same
 * moment what breaks a rule together with a write of this one. That harms nobody: selectors see labels of the
 * first stage only, so what breaks the rule has no effect.
 */
export class AssignedWrites {
  readonly #index: Pick<AssignedIndex, 'set'>;
  readonly #now: () => number;
  readonly #recent = new Map<string, Write>();

  constructor(index: Pick<AssignedIndex, 'set'>, now: () => number) {
    this.#index = index;
    this.#now = now;
  }

  /** What the next writes are checked against; theirs to change. */
  dependencies(): SelectorDependencies {
    const { set } = this.#index;
    const dependencies = SelectorDependencies.of(set.selectorInfos());
    for (const [name, { draft, revision, at }] of this.#recent) {
      const known = set.get(name);
      const echoed = draft === undefined ? known === undefined : (known?.revision ?? 0) >= revision;
      if (echoed || this.#now() - at > ECHO_MS) this.#recent.delete(name);
      else if (draft === undefined) dependencies.remove(name);
      else dependencies.put(draft);
    }
    return dependencies;
  }

  /** The store has taken this. */
  written(draft: ServerInfoDraft, revision: number): void {
    const { name, match } = draft;
    if (match.kind !== 'selector' && !this.#mayBeSelector(name)) return;
    this.#recent.set(name, { draft, revision, at: this.#now() });
  }

  /** The store has let these go. */
  deleted(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#mayBeSelector(name)) continue;
      this.#recent.set(name, { draft: undefined, revision: 0, at: this.#now() });
    }
  }

  #mayBeSelector(name: string): boolean {
    return this.#recent.has(name) || this.#index.set.get(name)?.match.kind === 'selector';
  }
}

/**
 * Why this one may not be put beside the others, for a person; undefined: it may, and is from now on one of
 * them.
 */
export function joinSelectors(
  dependencies: SelectorDependencies,
  draft: ServerInfoDraft,
): string | undefined {
  if (draft.match.kind === 'selector') {
    if (!dependencies.has(draft.name) && dependencies.size >= MAX_SELECTORS) {
      return `${MAX_SELECTORS} ServerInfos match by a selector already, which is as many as there may be`;
    }
    const problem = dependencies.problem(draft);
    if (problem !== undefined) return problem;
  }
  dependencies.put(draft);
  return undefined;
}
