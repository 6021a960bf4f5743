import type { SelectorVerdict } from '@tagplane/labels';
import type { CompiledRole, CompiledRule } from './compiled-roles.ts';
import type { NodeLabels, ResolvedLabels } from './node-labels.ts';
import { countsUntil, resolveLabels } from './node-labels.ts';

/** What one role says on one node, whoever asks; holds while `from` ≤ now < `until`. */
export interface RoleVerdict {
  readonly from: number;
  readonly until: number;
  /** Allow rules whose selector is true. */
  readonly grants: readonly CompiledRule[];
  /** Deny rules whose selector is not false. */
  readonly denies: readonly CompiledRule[];
}

const NONE: readonly CompiledRule[] = [];

/** The verdicts of roles on one node: each made when it is first asked for, and again past its time. */
export class NodeVerdicts {
  readonly labels: NodeLabels;
  readonly #roles: readonly CompiledRole[];
  readonly #resolved: ResolvedLabels;
  readonly #verdicts: (RoleVerdict | undefined)[];
  // Of the role that is being evaluated.
  #now = 0;
  #maxAgeMs = Infinity;
  #from = -Infinity;
  #until = Infinity;

  constructor(roles: readonly CompiledRole[], labels: NodeLabels) {
    this.labels = labels;
    this.#roles = roles;
    this.#resolved = resolveLabels(labels);
    this.#verdicts = new Array<RoleVerdict | undefined>(roles.length).fill(undefined);
  }

  /** Of the role at this place in the list. */
  of(index: number, now: number): RoleVerdict {
    const verdict = this.#verdicts[index];
    if (verdict !== undefined && now >= verdict.from && now < verdict.until) return verdict;
    const role = this.#roles[index];
    if (role === undefined) throw new RangeError(`there is no role ${index}`);
    const made = this.#evaluate(role, now);
    this.#verdicts[index] = made;
    return made;
  }

  /** What a rule's selector says for a role, and by which term. */
  test({ maxAgeMs }: CompiledRole, rule: CompiledRule, now: number): SelectorVerdict {
    this.#begin(maxAgeMs, now);
    return rule.selector.test(this.#lookup);
  }

  get resolved(): ResolvedLabels {
    return this.#resolved;
  }

  #evaluate({ maxAgeMs, allow, deny }: CompiledRole, now: number): RoleVerdict {
    this.#begin(maxAgeMs, now);
    const grants = this.#pick(allow, (truth) => truth === 'true');
    const denies = this.#pick(deny, (truth) => truth !== 'false');
    return { from: this.#from, until: this.#until, grants, denies };
  }

  #begin(maxAgeMs: number, now: number): void {
    this.#now = now;
    this.#maxAgeMs = maxAgeMs;
    this.#from = -Infinity;
    this.#until = Infinity;
  }

  #pick(
    rules: readonly CompiledRule[],
    counts: (truth: SelectorVerdict['truth']) => boolean,
  ): readonly CompiledRule[] {
    const picked = rules.filter(({ selector }) => counts(selector.test(this.#lookup).truth));
    return picked.length === 0 ? NONE : picked;
  }

  /** The label's value while it counts; notes when that ends, or ended. */
  readonly #lookup = (key: string): string | undefined => {
    const label = this.#resolved.get(key);
    if (label === undefined) return undefined;
    const until = countsUntil(label.set, this.#maxAgeMs);
    if (this.#now < until) {
      if (until < this.#until) this.#until = until;
      return label.value;
    }
    if (until > this.#from) this.#from = until;
    return undefined;
  };
}
