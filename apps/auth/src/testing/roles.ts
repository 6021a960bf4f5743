import type { AccessRole, StoredRole } from '@tagplane/access';
import type { Put, Store } from '@tagplane/store';
import { encodeRole, roleKey } from '../roles/role-codec.ts';

const signal = new AbortController().signal;

/** A role that lets one login in on nodes with `aws/env=prod`. */
export function role(name: string, login = 'deploy', more: Partial<AccessRole> = {}): AccessRole {
  const nodeLabels = { terms: [{ key: 'aws/env', values: ['prod'] }] };
  return {
    name,
    description: '',
    allow: [{ logins: [login], nodeLabels }],
    deny: [],
    maxLabelAgeMs: undefined,
    ...more,
  };
}

/** As the store holds it, but for its revision. */
export function storedRole(of: AccessRole): Omit<StoredRole, 'revision'> {
  return { ...of, updatedBy: 'operator/test', updatedAt: 1_800_000_000_000 };
}

export function rolePut(of: AccessRole): Put {
  return { key: roleKey(of.name), value: encodeRole(storedRole(of)), ttlMs: undefined };
}

export async function putRoles(store: Store, ...roles: readonly AccessRole[]): Promise<void> {
  for (let start = 0; start < roles.length; start += 1_000) {
    await store.put(roles.slice(start, start + 1_000).map(rolePut), { signal });
  }
}

export async function removeRoles(store: Store, ...names: readonly string[]): Promise<void> {
  await store.delete(
    names.map((name) => ({ key: roleKey(name) })),
    { signal },
  );
}
