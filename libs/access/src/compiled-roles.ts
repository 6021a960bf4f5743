import type { CompiledSelector } from '@tagplane/labels';
import { compileSelector } from '@tagplane/labels';
import type { LoginMatcher } from './login.ts';
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
  readonly matchesLogin: LoginMatcher;
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

/** Roles made fit to decide by, with the verdicts on the node that was asked about last. */
export class CompiledRoles {
  /** Ordered by name. */
  readonly list: readonly CompiledRole[];
  /** Names this content, as `rolesRevision`. */
  readonly revision: string;
  readonly #index: ReadonlyMap<string, number>;
  #verdicts: NodeVerdicts | undefined;

  constructor(roles: readonly AccessRole[]) {
    const sorted = byName(roles);
    this.list = sorted.map(compileRole);
    this.revision = rolesRevision(sorted);
    this.#index = new Map(sorted.map(({ name }, index) => [name, index]));
  }

  /** Its place in `list`; undefined: there is none of this name. */
  indexOf(name: string): number | undefined {
    return this.#index.get(name);
  }

  /** What the roles say on this node; kept until another node's labels are asked about. */
  verdictsOn(labels: NodeLabels): NodeVerdicts {
    if (this.#verdicts?.labels !== labels) this.#verdicts = new NodeVerdicts(this.list, labels);
    return this.#verdicts;
  }
}

/** @throws RoleError when they break a rule of roles */
export function compileRoles(roles: readonly AccessRole[]): CompiledRoles {
  const problem = rolesProblem(roles);
  if (problem !== undefined) throw new RoleError(problem);
  return new CompiledRoles(roles);
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
    matchesLogin: compileLogins(rule.logins),
    selector: compileSelector(rule.nodeLabels),
  };
}
