import type { IamRule } from '../config.ts';
import { matchesPattern } from '../pattern.ts';
import type { JoinRole } from '../roles.ts';
import { parseAssumedRole, partitionOf } from './caller-identity.ts';
import type { CallerIdentity } from './caller-identity.ts';

/**
 * Whether one of the rules lets this caller join as this. A rule without `role` and `arn` lets in
 * whoever is of its account.
 */
export function iamAllows(rules: readonly IamRule[], caller: CallerIdentity, joinRole: JoinRole): boolean {
  const role = parseAssumedRole(caller.arn)?.role;
  return rules.some(
    (rule) =>
      rule.roles.some((each) => each === joinRole) &&
      rule.account === caller.account &&
      rule.partition === partitionOf(caller.arn) &&
      (rule.role === undefined || (role !== undefined && matchesPattern(role, rule.role))) &&
      (rule.arn === undefined || matchesPattern(caller.arn, rule.arn)),
  );
}
