import type { Operator } from '@tagplane/harness';

/** A role's rules as the tests write them: logins and one label with one value. */
export interface Rule {
  readonly logins: readonly string[];
  readonly label: readonly [key: string, value: string];
}

/** Writes a role, whatever there is of that name. */
export async function putRole(
  operator: Operator,
  name: string,
  { allow = [], deny = [] }: { readonly allow?: readonly Rule[]; readonly deny?: readonly Rule[] },
): Promise<void> {
  const rule = ({ logins, label: [key, value] }: Rule) => ({
    logins: [...logins],
    nodeLabels: { terms: [{ key, values: [value] }] },
  });
  const { written } = await operator.roles.putRole({
    role: { name, allow: allow.map(rule), deny: deny.map(rule) },
  });
  if (!written) throw new Error(`role ${name} was not written`);
}
