import type { AccessRole, AccessRule } from '@tagplane/access';
import { roleProblem } from '@tagplane/access';
import { durationField } from '@tagplane/runtime';
import * as z from 'zod';
import { selectorField } from '../selectors/field.ts';

/** A role as a document asks for it. */
export interface RoleDraft {
  readonly role: AccessRole;
  /** Of the one that the document was made from; undefined: it does not say. */
  readonly revision: number | undefined;
}

const rule = z
  .strictObject({ logins: z.array(z.string()), node_labels: selectorField })
  .transform(({ logins, node_labels: nodeLabels }): AccessRule => ({ logins, nodeLabels }));

/** One document: `kind: role`, its metadata and its spec, also as `roles get --format yaml` prints it. */
export const roleSchema: z.ZodType<RoleDraft> = z
  .strictObject({
    kind: z.literal('role'),
    metadata: z.strictObject({
      name: z.string(),
      description: z.string().optional(),
      revision: z.int().nonnegative().optional(),
      // What `roles get` says of it; nobody's to write.
      updated_by: z.string().optional(),
      updated_at: z.string().nullish(),
    }),
    spec: z.strictObject({
      max_label_age: durationField({ min: '1s', max: '3650d' }).optional(),
      allow: z.array(rule).default([]),
      deny: z.array(rule).default([]),
    }),
  })
  .transform(({ metadata, spec }, context): RoleDraft => {
    const role: AccessRole = {
      name: metadata.name,
      description: metadata.description ?? '',
      allow: spec.allow,
      deny: spec.deny,
      maxLabelAgeMs: spec.max_label_age,
    };
    const problem = roleProblem(role);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    return { role, revision: metadata.revision };
  });
