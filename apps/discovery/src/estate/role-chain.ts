import type { RoleStep } from '@tagplane/aws';
import type { AccountId } from '@tagplane/identity';
import { blockPartition } from './config.ts';
import type { EstateBlock, OrganizationRules } from './config.ts';

/**
 * The roles to assume, one with the other, to look into an account; empty: the process's own credentials. The
 * external id, the session tags and the name are for the last one.
 */
export function accountChain(block: EstateBlock, account: AccountId | undefined): RoleStep[] {
  const { assume_role: role } = block;
  if (role === undefined) return [];
  const { role_arn: template, role_name: name, external_id: externalId, tags, chain } = role;
  const number = account ?? '{account}';
  const roleArn =
    template === undefined
      ? `arn:${blockPartition(block)}:iam::${number}:role/${name}`
      : template.replaceAll('{account}', number);
  const sessionName = role.session_name;
  return [...stepsOf(chain, sessionName), { roleArn, externalId, sessionName, tags }];
}

/** The roles to assume to read the organisation. */
export function organizationChain({ assume_role: role }: OrganizationRules): RoleStep[] {
  if (role === undefined) return [];
  const { role_arn: roleArn, external_id: externalId, session_name: sessionName, chain } = role;
  return [...stepsOf(chain, sessionName), { roleArn, externalId, sessionName }];
}

function stepsOf(chain: readonly string[], sessionName: string | undefined): RoleStep[] {
  return chain.map((roleArn) => ({ roleArn, sessionName }));
}
