import type { CompiledRule } from './compiled-roles.ts';
import type { Traits } from './login.ts';
import { templateValue } from './login.ts';
import type { NodeVerdicts } from './verdicts.ts';

/** What a role says of a login to somebody; numbers, to be kept in tables, and bits, to be put together. */
export const NOTHING = 0;
export const GRANTS = 1;
export const DENIES = 2;
const UNKNOWN = -1;

/** Places in the table of answers: those that every table begins with, then one for each kind of `ByTraits`. */
const UNASKED = 0;
const [SAYS_NOTHING, SAYS_GRANTS, SAYS_DENIES, SAYS_BY_TRAITS] = [1, 2, 3, 4];
const FIRST_ANSWERS = [UNKNOWN, NOTHING, GRANTS, DENIES];

/** What a role says when that depends on traits. */
interface ByTraits {
  readonly grants: boolean;
  /** Places in the list of needs, any of which makes it so. */
  readonly grantedWith: readonly number[];
  readonly deniedWith: readonly number[];
}

/** A trait having a value, which some template needs to stand for the login. */
interface Need {
  readonly trait: string;
  readonly value: string;
}

/**
 * What the roles on one node say of one login, each worked out when it is first asked for: then a decision costs
 * a look into a table for each role held. All of it holds while `from` ≤ now < `until`.
 */
export class LoginVerdicts {
  from = -Infinity;
  until = Infinity;
  readonly #node: NodeVerdicts;
  readonly #login: string;
  /** By role: a place in `#answers`. */
  readonly #codes: Int32Array;
  /** After the first ones what each of `#byTraits` says to those asked about now. */
  #answers = new Int8Array(FIRST_ANSWERS);
  readonly #byTraits: ByTraits[] = [];
  readonly #codeByTraits = new Map<string, number>();
  readonly #needs: Need[] = [];
  #traits: Traits = new Map();

  constructor(node: NodeVerdicts, login: string, roles: number) {
    this.#node = node;
    this.#login = login;
    this.#codes = new Int32Array(roles);
  }

  /** Of the roles at these places something may be different now. */
  forget(roles: readonly number[]): void {
    for (const index of roles) this.#codes[index] = UNASKED;
  }

  /** Before the roles of each request. */
  ask(traits: Traits): void {
    this.#traits = traits;
    if (this.#byTraits.length > 0) this.#answers.fill(UNKNOWN, SAYS_BY_TRAITS);
  }

  /** What the role at this place says to one with these traits: one of the three constants. */
  of(index: number, now: number): number {
    // One way through for all that is known: which roles say what is nothing that a processor could guess.
    const answer = this.#answers[this.#codes[index] ?? UNASKED] ?? UNKNOWN;
    return answer === UNKNOWN ? this.#find(index, now) : answer;
  }

  #find(index: number, now: number): number {
    let code = this.#codes[index] ?? UNASKED;
    if (code === UNASKED) code = this.#codeOf(index, now);
    const answer = this.#answers[code] ?? UNKNOWN;
    return answer === UNKNOWN ? this.#answer(code) : answer;
  }

  #codeOf(index: number, now: number): number {
    const { from, until, grants, denies } = this.#node.of(index, now);
    if (from > this.from) this.from = from;
    if (until < this.until) this.until = until;
    const code = this.#codeFor(grants, denies);
    this.#codes[index] = code;
    return code;
  }

  #codeFor(grants: readonly CompiledRule[], denies: readonly CompiledRule[]): number {
    if (this.#anyHasText(denies)) return SAYS_DENIES;
    const granted = this.#anyHasText(grants);
    const deniedWith = this.#needsOf(denies);
    const grantedWith = granted ? NO_NEEDS : this.#needsOf(grants);
    if (deniedWith.length === 0 && grantedWith.length === 0) return granted ? SAYS_GRANTS : SAYS_NOTHING;
    // Most roles that depend on traits depend on the same: they are worked out together.
    const name = `${granted ? '+' : ''}${grantedWith.join()}-${deniedWith.join()}`;
    const known = this.#codeByTraits.get(name);
    if (known !== undefined) return known;
    const code = SAYS_BY_TRAITS - 1 + this.#byTraits.push({ grants: granted, grantedWith, deniedWith });
    this.#codeByTraits.set(name, code);
    this.#answers = Int8Array.from({ length: code + 1 }, (_, at) => this.#answers[at] ?? UNKNOWN);
    return code;
  }

  #anyHasText(rules: readonly CompiledRule[]): boolean {
    for (const { logins } of rules) if (logins.hasText(this.#login)) return true;
    return false;
  }

  #needsOf(rules: readonly CompiledRule[]): readonly number[] {
    let needs: number[] | undefined;
    for (const { logins } of rules) {
      for (const template of logins.templates) {
        const value = templateValue(template, this.#login);
        if (value !== undefined) (needs ??= []).push(this.#needAt(template.trait, value));
      }
    }
    return needs ?? NO_NEEDS;
  }

  #needAt(trait: string, value: string): number {
    const known = this.#needs.findIndex((need) => need.trait === trait && need.value === value);
    return known >= 0 ? known : this.#needs.push({ trait, value }) - 1;
  }

  #answer(code: number): number {
    const which = this.#byTraits[code - SAYS_BY_TRAITS];
    if (which === undefined) return NOTHING;
    const granted = which.grants || this.#meetsAny(which.grantedWith);
    const answer = this.#meetsAny(which.deniedWith) ? DENIES : granted ? GRANTS : NOTHING;
    this.#answers[code] = answer;
    return answer;
  }

  #meetsAny(needs: readonly number[]): boolean {
    return needs.some((index) => {
      const need = this.#needs[index];
      return need !== undefined && (this.#traits.get(need.trait)?.includes(need.value) ?? false);
    });
  }
}

const NO_NEEDS: readonly number[] = [];
