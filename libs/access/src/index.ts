export { applyRoleChanges, diffRoles, type RoleChanges } from './changes.ts';
export { RoleError, compileRoles, type CompiledRoles } from './compiled-roles.ts';
export { decide, type AccessRequest } from './decide.ts';
export {
  decisionDocument,
  decisionText,
  type DecisionDocument,
  type FactDocument,
  type LabelDocument,
} from './decision-text.ts';
export {
  refusal,
  type Decision,
  type DecisionCause,
  type DecisionReason,
  type LabelFact,
  type LabelState,
  type RuleFact,
} from './decision.ts';
export { diffAccess, type AccessChange, type AccessNode } from './diff-access.ts';
export { type Traits } from './login.ts';
export { type LabelSet, type LabelSource, type NodeLabels } from './node-labels.ts';
export { rolesRevision } from './revision.ts';
export {
  MAX_ROLES,
  MAX_ROLES_BYTES,
  MAX_ROLE_NAME,
  MAX_RULES,
  roleProblem,
  rolesProblem,
} from './role-problem.ts';
export { type AccessRole, type AccessRule, type StoredRole } from './role.ts';
