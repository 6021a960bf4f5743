import type { CompiledSelector } from '@tagplane/labels';
import { compileSelector } from '@tagplane/labels';
import type { CompiledLogins } from './login.ts';
import { compileLogins } from './login.ts';
import type { NodeLabels } from './node-labels.ts';
import { byName, rolesRevision } from './revision.ts';
import { rolesProblem } from './role-problem.ts';
import type { AccessRole, AccessRule } from './role.ts';
import { NodeVerdicts } from './verdicts.ts';

export interface CompiledRule {
  readonly rule: AccessRule;
  /** From 1, in its role. */
  readonly number: number;
  readonly logins: CompiledLogins;
  readonly selector: CompiledSelector;
}

export interface CompiledRole {
  readonly role: AccessRole;
  /** Infinity: any age. */
  readonly maxAgeMs: number;
  readonly allow: readonly CompiledRule[];
  readonly deny: readonly CompiledRule[];
}

/** Roles that cannot be decided by. */
export class RoleError extends Error {
  override readonly name = 'RoleError';
}

/** Roles made fit to decide by, with their verdicts on the node that was asked about last. */
export class CompiledRoles {
  /** Ordered by name. */
  readonly list: readonly CompiledRole[];
  /** Names this content, as `rolesRevision`. */
  readonly revision: string;
  /** In the order of `list`. */
  readonly names: readonly string[];
  readonly #index: ReadonlyMap<string, number>;
  /** What each role says to the request that is being decided. */
  readonly answers: Uint8Array;
  #verdicts: NodeVerdicts | undefined;

  constructor(roles: readonly AccessRole[]) {
    const sorted = byName(roles);
    this.list = sorted.map(compileRole);
    this.revision = rolesRevision(sorted);
    this.answers = new Uint8Array(sorted.length);
    this.names = sorted.map(({ name }) => name);
    this.#index = new Map(sorted.map(({ name }, index) => [name, index]));
  }

  /** Its place in `list`; undefined: there is none of this name. */
  indexOf(name: string): number | undefined {
    return this.#index.get(name);
  }

  /** What the roles say on this node; kept until another node's labels are asked about. */
  verdictsOn(labels: NodeLabels): NodeVerdicts {
    this.#verdicts ??= new NodeVerdicts(this.list, rolesByKey(this.list), labels);
    if (this.#verdicts.labels !== labels) this.#verdicts.relabel(labels);
    return this.#verdicts;
  }
}

/** @throws RoleError when they break a rule of roles */
export function compileRoles(roles: readonly AccessRole[]): CompiledRoles {
  const problem = rolesProblem(roles);
  if (problem !== undefined) throw new RoleError(problem);
  return new CompiledRoles(roles);
}

function rolesByKey(roles: readonly CompiledRole[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [index, { allow, deny }] of roles.entries()) {
    for (const key of new Set([...allow, ...deny].flatMap(({ selector }) => selector.keys))) {
      const found = places.get(key);
      if (found === undefined) places.set(key, [index]);
      else found.push(index);
    }
  }
  return places;
}

function compileRole(role: AccessRole): CompiledRole {
  return {
    role,
    maxAgeMs: role.maxLabelAgeMs ?? Infinity,
    allow: role.allow.map(compileRule),
    deny: role.deny.map(compileRule),
  };
}

function compileRule(rule: AccessRule, index: number): CompiledRule {
  return {
    rule,
    number: index + 1,
    logins: compileLogins(rule.logins),
    selector: compileSelector(rule.nodeLabels),
  };
}
