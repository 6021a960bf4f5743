import { compileSelector, selectorProblem } from '@tagplane/labels';
import { loginProblem } from './login.ts';
import type { AccessRole, AccessRule } from './role.ts';
import { roleContent } from './revision.ts';

export const MAX_ROLES = 2000;
/** Rules of a role, each way. */
export const MAX_RULES = 64;
/** All roles together, as their content is written. */
export const MAX_ROLES_BYTES = 1024 * 1024;
/** Instructions of the regular expressions of all roles: they bound what one change of labels may cost. */
export const MAX_ROLES_PROGRAM = 50_000;
export const MAX_ROLE_NAME = 128;
const MAX_DESCRIPTION = 1024;
const MAX_LOGINS = 256;
const MAX_LOGIN = 256;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Why this is no role, on one line, for a person; undefined: it is one. */
export function roleProblem(role: AccessRole): string | undefined {
  const { name, description, allow, deny, maxLabelAgeMs } = role;
  if (!NAME.test(name)) {
    return `role name ${JSON.stringify(name.slice(0, 80))} is not letters, digits, ".", "_", "-", beginning with a letter or digit`;
  }
  if (name.length > MAX_ROLE_NAME) return `a role's name has at most ${MAX_ROLE_NAME} characters`;
  if (description.length > MAX_DESCRIPTION) {
    return `a role's description has at most ${MAX_DESCRIPTION} characters`;
  }
  if (maxLabelAgeMs !== undefined && !(Number.isSafeInteger(maxLabelAgeMs) && maxLabelAgeMs > 0)) {
    return 'max_label_age is a whole number of milliseconds, more than 0';
  }
  return rulesProblem('allow', allow) ?? rulesProblem('deny', deny);
}

/** Why these may not stand together, on one line, for a person; undefined: they may. */
export function rolesProblem(roles: readonly AccessRole[]): string | undefined {
  if (roles.length > MAX_ROLES) return `${roles.length} roles, but there are at most ${MAX_ROLES}`;
  const names = new Set<string>();
  let bytes = 0;
  let program = 0;
  for (const role of roles) {
    const weight = weightOf(role);
    if (weight.problem !== undefined) return `role ${role.name}: ${weight.problem}`;
    if (names.has(role.name)) return `role ${role.name} is there twice`;
    names.add(role.name);
    bytes += weight.bytes;
    program += weight.program;
  }
  if (bytes > MAX_ROLES_BYTES) return `roles of ${bytes} bytes, but all have at most ${MAX_ROLES_BYTES}`;
  if (program > MAX_ROLES_PROGRAM) {
    return `regular expressions of ${program} instructions, but those of all roles have at most ${MAX_ROLES_PROGRAM}`;
  }
  return undefined;
}

interface Weight {
  readonly problem: string | undefined;
  readonly bytes: number;
  readonly program: number;
}

/** Of one edit 1,999 roles are as before, and compiling the selectors of all takes half a second. */
const weights = new WeakMap<AccessRole, Weight>();

function weightOf(role: AccessRole): Weight {
  const known = weights.get(role);
  if (known !== undefined) return known;
  const problem = roleProblem(role);
  const bytes = Buffer.byteLength(roleContent(role));
  let program = 0;
  // What is wrong cannot be compiled.
  const rules = problem === undefined ? [...role.allow, ...role.deny] : [];
  for (const { nodeLabels } of rules) program += compileSelector(nodeLabels).program;
  const weight = { problem, bytes, program };
  weights.set(role, weight);
  return weight;
}

function rulesProblem(effect: 'allow' | 'deny', rules: readonly AccessRule[]): string | undefined {
  if (rules.length > MAX_RULES) return `${rules.length} ${effect} rules, but a role has at most ${MAX_RULES}`;
  for (const [index, rule] of rules.entries()) {
    const problem = ruleProblem(rule);
    if (problem !== undefined) return `${effect} rule ${index + 1}: ${problem}`;
  }
  return undefined;
}

function ruleProblem({ logins, nodeLabels }: AccessRule): string | undefined {
  if (logins.length === 0) return 'it has no logins';
  if (logins.length > MAX_LOGINS) return `it has more than ${MAX_LOGINS} logins`;
  for (const login of logins) {
    if (login.length > MAX_LOGIN) return `a login has at most ${MAX_LOGIN} characters`;
    const problem = loginProblem(login);
    if (problem !== undefined) return problem;
  }
  const problem = selectorProblem(nodeLabels);
  return problem === undefined ? undefined : `node_labels: ${problem}`;
}
