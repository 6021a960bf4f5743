import type { SelectorVerdict } from '@tagplane/labels';
import type { CompiledRole, CompiledRule } from './compiled-roles.ts';
import { LoginVerdicts } from './login-verdicts.ts';
import type { NodeLabels, ResolvedLabel } from './node-labels.ts';
import { countsUntil, effectiveSets, isSameLabel, resolveLabel } from './node-labels.ts';

/** What one role says on one node, whoever asks; holds while `from` ≤ now < `until`. */
export interface RoleVerdict {
  readonly from: number;
  readonly until: number;
  /** Allow rules whose selector is true. */
  readonly grants: readonly CompiledRule[];
  /** Deny rules whose selector is not false. */
  readonly denies: readonly CompiledRule[];
}

/** Logins whose verdicts are kept; a node has few users that anybody logs in as. */
const MAX_LOGINS = 64;
const NONE: readonly CompiledRule[] = [];

/**
 * The verdicts of roles on one node: each made when it is first asked for, and again past its time or after a
 * change of a label that its role names.
 */
export class NodeVerdicts {
  readonly #roles: readonly CompiledRole[];
  readonly #rolesByKey: ReadonlyMap<string, readonly number[]>;
  #labels: NodeLabels;
  #sets: NodeLabels['sets'];
  readonly #resolved = new Map<string, ResolvedLabel | undefined>();
  readonly #verdicts: (RoleVerdict | undefined)[];
  readonly #logins = new Map<string, LoginVerdicts>();
  // Of the role that is being evaluated.
  #now = 0;
  #maxAgeMs = Infinity;
  #from = -Infinity;
  #until = Infinity;

  /** @param rolesByKey the places of the roles that name a label */
  constructor(
    roles: readonly CompiledRole[],
    rolesByKey: ReadonlyMap<string, readonly number[]>,
    labels: NodeLabels,
  ) {
    this.#roles = roles;
    this.#rolesByKey = rolesByKey;
    this.#labels = labels;
    this.#sets = effectiveSets(labels);
    this.#verdicts = new Array<RoleVerdict | undefined>(roles.length);
  }

  get labels(): NodeLabels {
    return this.#labels;
  }

  /** Goes over to other labels; what does not depend on those that differ is kept. */
  relabel(labels: NodeLabels): void {
    this.#labels = labels;
    this.#sets = effectiveSets(labels);
    for (const [key, before] of this.#resolved) {
      const after = resolveLabel(this.#sets, key);
      this.#resolved.set(key, after);
      if (!isSameLabel(before, after)) this.#forget(this.#rolesByKey.get(key) ?? []);
    }
  }

  #forget(roles: readonly number[]): void {
    for (const index of roles) this.#verdicts[index] = undefined;
    for (const login of this.#logins.values()) login.forget(roles);
  }

  /** What the roles say of this login; good for this `now`, not to be kept. */
  forLogin(login: string, now: number): LoginVerdicts {
    const kept = this.#logins.get(login);
    if (kept !== undefined && now >= kept.from && now < kept.until) return kept;
    if (this.#logins.size >= MAX_LOGINS) this.#logins.clear();
    const made = new LoginVerdicts(this, login, this.#roles.length);
    this.#logins.set(login, made);
    return made;
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

  /** The value that counts for a key, fresh or not. */
  label(key: string): ResolvedLabel | undefined {
    const known = this.#resolved.get(key);
    if (known !== undefined || this.#resolved.has(key)) return known;
    const found = resolveLabel(this.#sets, key);
    this.#resolved.set(key, found);
    return found;
  }

  #evaluate({ maxAgeMs, allow, deny }: CompiledRole, now: number): RoleVerdict {
    this.#begin(maxAgeMs, now);
    let grants: CompiledRule[] | undefined;
    for (const rule of allow) {
      if (rule.selector.test(this.#lookup).truth === 'true') (grants ??= []).push(rule);
    }
    let denies: CompiledRule[] | undefined;
    for (const rule of deny) {
      if (rule.selector.test(this.#lookup).truth !== 'false') (denies ??= []).push(rule);
    }
    return { from: this.#from, until: this.#until, grants: grants ?? NONE, denies: denies ?? NONE };
  }

  #begin(maxAgeMs: number, now: number): void {
    this.#now = now;
    this.#maxAgeMs = maxAgeMs;
    this.#from = -Infinity;
    this.#until = Infinity;
  }

  /** The label's value while it counts; notes when that ends, or ended. */
  readonly #lookup = (key: string): string | undefined => {
    const label = this.label(key);
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
