import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Client } from '@connectrpc/connect';
import { ConnectError } from '@connectrpc/connect';
import { accessRoleToMessage } from '@tagplane/protocol';
import type { RoleService } from '@tagplane/protocol';
import { putRoles, role } from '../testing/roles.ts';
import { codeOf } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi } from '../testing/test-api.ts';
import { overridden, until } from '../testing/test-stores.ts';

let api: TestApi;
let ada: Client<typeof RoleService>;

beforeEach(async () => {
  api = startTestApi();
  ada = api.as('operator/ada').roles;
  await until(() => api.roles.index.loaded, 'loaded');
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

const message = (...of: Parameters<typeof role>) => accessRoleToMessage(role(...of));
const createOnly = { case: 'createOnly', value: true } as const;
const expecting = (value: bigint) => ({ case: 'expectedRevision', value }) as const;

async function problemOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (error: unknown) => ConnectError.from(error).rawMessage,
  );
}

describe('PutRole', () => {
  it('writes a role, and says who wrote it and which revision it has', async () => {
    const put = await ada.putRole({ role: message('dev', 'deploy', { description: 'who deploys' }) });
    expect(put).toMatchObject({ written: true, role: { name: 'dev', updatedBy: 'operator/ada' } });
    expect(put.role?.revision).toBeGreaterThan(0n);
    const { role: read } = await ada.getRole({ name: 'dev' });
    expect(read).toEqual(put.role);
    await until(() => api.roles.current?.roles[0]?.description === 'who deploys', 'in memory');
    expect(api.audit.of('role.put')).toMatchObject([
      {
        result: 'ok',
        actor: 'operator/ada',
        subjects: ['dev'],
        details: { revision: String(read?.revision) },
      },
    ]);
  });

  it('takes the place of what there is, unless it was expected to be another', async () => {
    const first = await ada.putRole({ role: message('dev'), precondition: createOnly });
    expect(first.written).toBe(true);
    const again = await ada.putRole({ role: message('dev', 'root'), precondition: createOnly });
    expect(again).toMatchObject({ written: false, role: { revision: first.role?.revision } });
    const second = await ada.putRole({ role: message('dev', 'root') });
    expect(second.written).toBe(true);
    const stale = expecting(first.role?.revision ?? 0n);
    const refused = await ada.putRole({ role: message('dev', 'web'), precondition: stale });
    expect(refused).toMatchObject({ written: false, role: { revision: second.role?.revision } });
    const now = expecting(second.role?.revision ?? 0n);
    expect((await ada.putRole({ role: message('dev', 'web'), precondition: now })).written).toBe(true);
    expect(api.audit.of('role.refused').map(({ reason }) => reason)).toEqual([
      'there is a role of this name',
      `revision ${stale.value} was expected, and it is ${now.value}`,
    ]);
  });

  it('says that there is none where one was expected, and does not take that for knowledge', async () => {
    const put = await ada.putRole({ role: message('dev'), precondition: expecting(7n) });
    expect(put).toMatchObject({ written: false });
    expect(put.role).toBeUndefined();
    expect(api.roles.index.marked).toBe(false);
  });

  it('names the role and the rule that is wrong, and writes nothing', async () => {
    const rule = { logins: ['deploy'], nodeLabels: { terms: [{ key: 'aws/env', values: ['^(prod$'] }] } };
    const wrong = message('dev', 'deploy', { deny: [rule] });
    const call = () => ada.putRole({ role: wrong });
    expect(await codeOf(call())).toBe('InvalidArgument');
    expect(await problemOf(call())).toMatch(/role "dev": deny rule 1: node_labels: /);
    expect((await ada.listRoles({})).roles).toEqual([]);
    expect(api.audit.of('role.refused')).toMatchObject([{ subjects: ['dev'] }, { subjects: ['dev'] }]);
  });

  it('refuses a name that is none', async () => {
    expect(await codeOf(ada.putRole({ role: message('no name') }))).toBe('InvalidArgument');
    expect(await codeOf(ada.putRole({}))).toBe('InvalidArgument');
  });

  it('refuses more than agents take', async () => {
    const many = Array.from({ length: 2_000 }, (_, index) => role(`r${index}`));
    await putRoles(api.stores.roles, ...many);
    await until(() => api.roles.current?.roles.length === 2_000, 'all there');
    expect(await codeOf(ada.putRole({ role: message('one-more') }))).toBe('ResourceExhausted');
    expect((await ada.putRole({ role: message('r7', 'root') })).written).toBe(true);
  });

  it('waits until it is known which roles there are', async () => {
    await using unready = startTestApi({ wrap: (store) => overridden(store, { watch: silence }) });
    const { roles } = unready.as('operator/ada');
    expect(await codeOf(roles.putRole({ role: message('dev') }))).toBe('Unavailable');
  });
});

/** A feed that says nothing until it is ended. */
async function* silence({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<never> {
  if (!signal.aborted) await once(signal, 'abort');
}

describe('ListRoles', () => {
  it('pages through the roles by name, and leaves out what it cannot read', async () => {
    await putRoles(api.stores.roles, role('c'), role('a'), role('b'));
    await ada.putRole({ role: message('d') });
    const put = { key: 'role/bb', value: '{"version":2}', ttlMs: undefined };
    await api.stores.roles.put([put], { signal: new AbortController().signal });
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await ada.listRoles({ pageSize: 2, pageToken });
      found.push(...page.roles.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(found).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('GetRole and DeleteRole', () => {
  it('know a role until it is deleted', async () => {
    await ada.putRole({ role: message('dev') });
    expect((await ada.getRole({ name: 'dev' })).role?.allow).toMatchObject([{ logins: ['deploy'] }]);
    expect(await ada.deleteRole({ name: 'dev' })).toMatchObject({ deleted: true });
    expect(await ada.deleteRole({ name: 'dev' })).toMatchObject({ deleted: false });
    expect(await ada.deleteRole({ name: '../known' })).toMatchObject({ deleted: false });
    expect(await codeOf(ada.getRole({ name: 'dev' }))).toBe('NotFound');
    expect(await codeOf(ada.getRole({ name: '../known' }))).toBe('NotFound');
    expect(api.audit.of('role.deleted')).toMatchObject([{ actor: 'operator/ada', subjects: ['dev'] }]);
    await until(() => api.roles.current?.revision === '', 'none in memory');
  });

  it.each(['agent/web-1', 'discovery/d1'])('are nothing for %s', async (peer) => {
    const { roles } = api.as(peer);
    expect(await codeOf(roles.getRole({ name: 'dev' }))).toBe('PermissionDenied');
    expect(await codeOf(roles.putRole({ role: message('dev') }))).toBe('PermissionDenied');
    expect(await codeOf(roles.listRoles({}))).toBe('PermissionDenied');
    expect(await codeOf(roles.deleteRole({ name: 'dev' }))).toBe('PermissionDenied');
  });
});
