import { rolesProblem, rolesRevision } from '@tagplane/access';
import type { AccessRole, AccessRule } from '@tagplane/access';
import type { SignedStatement } from '@tagplane/credentials';
import type { HeldRoles } from '@tagplane/session';
import * as z from 'zod';
import { clockField, encodeClock, instanceField, serverIdField, shaped } from '../disk-codec.ts';
import type { LabelOwner } from '../disk-codec.ts';
import { encodeSigned, signedField } from '../sealed/signed-field.ts';

export interface StoredRoles {
  readonly owner: LabelOwner;
  readonly held: HeldRoles;
  /** The auth service's word for them; undefined without TLS. */
  readonly signed: SignedStatement | undefined;
}

const ruleField = z
  .strictObject({
    logins: z.array(z.string()),
    node_labels: z.array(z.strictObject({ key: z.string(), values: z.array(z.string()) })),
  })
  .transform(({ logins, node_labels }): AccessRule => ({ logins, nodeLabels: { terms: node_labels } }));

const roleField = z
  .strictObject({
    name: z.string(),
    description: z.string(),
    max_label_age_ms: z.number().optional(),
    allow: z.array(ruleField),
    deny: z.array(ruleField),
  })
  .transform(({ name, description, allow, deny, max_label_age_ms }): AccessRole => {
    return { name, description, allow, deny, maxLabelAgeMs: max_label_age_ms };
  });

const rolesContent = z.strictObject({
  server_id: serverIdField,
  instance: instanceField,
  revision: z.string(),
  as_of: clockField,
  remaining_ms: z.number().min(0),
  roles: z.array(roleField),
  signed: signedField.optional(),
});

/** What is sealed. */
export function encodeRoles({ owner, held, signed }: StoredRoles): unknown {
  const content: z.input<typeof rolesContent> = {
    server_id: owner.serverId,
    instance: owner.instance,
    revision: held.revision,
    as_of: encodeClock(held.asOf),
    remaining_ms: held.remainingMs,
    roles: held.roles.map(({ name, description, maxLabelAgeMs, allow, deny }) => ({
      ...{ name, description, max_label_age_ms: maxLabelAgeMs },
      ...{ allow: allow.map(encodeRule), deny: deny.map(encodeRule) },
    })),
    signed: signed && encodeSigned(signed),
  };
  return content;
}

function encodeRule({ logins, nodeLabels }: AccessRule): z.input<typeof ruleField> {
  return {
    logins: [...logins],
    node_labels: nodeLabels.terms.map(({ key, values }) => ({ key, values: [...values] })),
  };
}

/** @throws Error when it is no such content, or not whole */
export function decodeRoles(content: unknown): StoredRoles {
  const file = shaped(rolesContent, content);
  const problem = rolesProblem(file.roles);
  if (problem !== undefined) throw new Error(problem);
  if (rolesRevision(file.roles) !== file.revision) {
    throw new Error('the roles do not have the revision beside them');
  }
  return {
    owner: { serverId: file.server_id, instance: file.instance },
    held: {
      ...{ revision: file.revision, roles: file.roles },
      ...{ remainingMs: file.remaining_ms, asOf: file.as_of },
    },
    signed: file.signed,
  };
}
