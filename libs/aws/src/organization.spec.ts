import { afterEach, describe, expect, it } from '@jest/globals';
import { listAccounts } from './organization.ts';
import type { ListAccountsOptions, OrganizationAccount } from './organization.ts';
import { fakeEndpoint, testRegion } from './testing/index.ts';
import type { EndpointAnswer, FakeEndpoint, ReceivedCall } from './testing/index.ts';

const region = testRegion('us-east-1');
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };

let endpoint: FakeEndpoint;
afterEach(async () => {
  await endpoint[Symbol.asyncDispose]();
});

/** Parent by child, and tags by account. */
interface Tree {
  readonly parents: Readonly<Record<string, string>>;
  /** Account ids that the walk does not see, as if they moved meanwhile. */
  readonly moving?: readonly string[];
  readonly tags?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly states?: Readonly<Record<string, object>>;
}

const isAccount = (id: string): boolean => /^\d{12}$/.test(id);

/** Pages of two; the first page of a listing is empty and has a token, as AWS does at times. */
function serveTree(tree: Tree): (call: ReceivedCall) => EndpointAnswer {
  const children = (parent: unknown): string[] =>
    Object.keys(tree.parents).filter((child) => tree.parents[child] === parent);
  const account = (Id: string) => ({ Id, Name: `name of ${Id}`, State: 'ACTIVE', ...tree.states?.[Id] });
  const page = (key: string, items: readonly object[], token: unknown): EndpointAnswer => {
    if (token === undefined) return { body: { [key]: [], NextToken: '0' } };
    const from = Number(token);
    const next = from + 2 < items.length ? { NextToken: `${from + 2}` } : {};
    return { body: { [key]: items.slice(from, from + 2), ...next } };
  };
  return ({ operation, input }) => {
    const { NextToken: token, ParentId, ChildId, ResourceId } = input;
    const here = children(ParentId);
    switch (operation) {
      case 'ListAccounts':
        return page('Accounts', Object.keys(tree.parents).filter(isAccount).map(account), token);
      case 'ListRoots':
        return page('Roots', [{ Id: 'r-1' }], token);
      case 'ListAccountsForParent': {
        const seen = here.filter((id) => isAccount(id) && tree.moving?.includes(id) !== true);
        return page('Accounts', seen.map(account), token);
      }
      case 'ListOrganizationalUnitsForParent': {
        const units = here.filter((id) => !isAccount(id)).map((Id) => ({ Id }));
        return page('OrganizationalUnits', units, token);
      }
      case 'ListParents':
        return { body: { Parents: [{ Id: tree.parents[String(ChildId)] }] } };
      case 'ListTagsForResource': {
        const tags = Object.entries(tree.tags?.[String(ResourceId)] ?? {});
        return page(
          'Tags',
          tags.map(([Key, Value]) => ({ Key, Value })),
          token,
        );
      }
      default:
        return { error: 'UnknownOperationException' };
    }
  };
}

async function list(tree: Tree, options: Partial<ListAccountsOptions> = {}): Promise<OrganizationAccount[]> {
  endpoint = await fakeEndpoint(serveTree(tree));
  return await listAccounts(
    { region, credentials, endpoint: endpoint.url, ...options },
    AbortSignal.timeout(60_000),
  );
}

const PARENTS = {
  '111111111111': 'r-1',
  'ou-a': 'r-1',
  'ou-b': 'ou-a',
  '222222222222': 'ou-a',
  '333333333333': 'ou-b',
  '444444444444': 'ou-b',
  '555555555555': 'ou-b',
};

const operations = (): string[] => endpoint.calls.map(({ operation }) => operation);

describe('listAccounts', () => {
  it('tells every account with the units above it, by id', async () => {
    const accounts = await list({ parents: PARENTS });
    expect(accounts.map(({ id, ous }) => [id, ...ous])).toEqual([
      ['111111111111', 'r-1'],
      ['222222222222', 'r-1', 'ou-a'],
      ['333333333333', 'r-1', 'ou-a', 'ou-b'],
      ['444444444444', 'r-1', 'ou-a', 'ou-b'],
      ['555555555555', 'r-1', 'ou-a', 'ou-b'],
    ]);
    expect(accounts[0]).toMatchObject({ name: 'name of 111111111111', status: 'active', tags: new Map() });
    expect(operations()).not.toContain('ListParents');
    expect(operations()).not.toContain('ListTagsForResource');
  });

  it('asks for the parents of accounts that moved during the walk', async () => {
    const accounts = await list({ parents: PARENTS, moving: ['333333333333', '111111111111'] });
    expect(accounts.map(({ ous }) => ous.join('/'))).toEqual([
      ...['r-1', 'r-1/ou-a', 'r-1/ou-a/ou-b', 'r-1/ou-a/ou-b', 'r-1/ou-a/ou-b'],
    ]);
    expect(operations().filter((name) => name === 'ListParents').length).toBe(2);
  });

  it('does not walk when nobody needs the units', async () => {
    const accounts = await list({ parents: PARENTS }, { withOus: false });
    expect(accounts.map(({ ous }) => ous)).toEqual(accounts.map(() => []));
    expect(new Set(operations())).toEqual(new Set(['ListAccounts']));
  });

  it('asks for tags of active accounts when told to', async () => {
    const tags = { '222222222222': { env: 'prod', a: '1', b: '' }, '333333333333': { env: 'test' } };
    const states = { '333333333333': { State: 'SUSPENDED' } };
    const accounts = await list({ parents: PARENTS, tags, states }, { withOus: false, withTags: true });
    expect(accounts[1]?.tags).toEqual(new Map(Object.entries(tags['222222222222'])));
    expect(accounts[2]?.tags).toEqual(new Map());
  });

  it.each([
    [{ State: 'ACTIVE' }, 'active'],
    [{ State: 'SUSPENDED' }, 'suspended'],
    [{ State: 'PENDING_CLOSURE' }, 'other'],
    [{ State: undefined, Status: 'ACTIVE' }, 'active'],
    [{ State: undefined, Status: 'SUSPENDED' }, 'suspended'],
    [{ State: undefined }, 'other'],
  ])('reads %j as %s', async (state, status) => {
    const parents = { '111111111111': 'r-1' };
    const accounts = await list({ parents, states: { '111111111111': state } }, { withOus: false });
    expect(accounts.map((account) => account.status)).toEqual([status]);
  });

  it('says what to do when it may not', async () => {
    endpoint = await fakeEndpoint(() => ({ error: 'AccessDeniedException' }));
    const asked = listAccounts({ region, credentials, endpoint: endpoint.url }, AbortSignal.timeout(60_000));
    await expect(asked).rejects.toMatchObject({
      kind: 'denied',
      fix: expect.stringMatching(/management account or a delegated administrator/),
    });
  });

  it('ends when the signal aborts', async () => {
    const stop = new AbortController();
    endpoint = await fakeEndpoint(() => {
      stop.abort();
      return undefined;
    });
    const asked = listAccounts({ region, credentials, endpoint: endpoint.url }, stop.signal);
    await expect(asked).rejects.toMatchObject({ name: 'AwsCallError', kind: 'aborted' });
  });
});
