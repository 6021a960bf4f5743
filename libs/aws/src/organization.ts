import {
  ListParentsCommand,
  OrganizationsClient,
  paginateListAccounts,
  paginateListAccountsForParent,
  paginateListOrganizationalUnitsForParent,
  paginateListRoots,
  paginateListTagsForResource,
} from '@aws-sdk/client-organizations';
import type { Account } from '@aws-sdk/client-organizations';
import { parseAccountId } from '@tagplane/identity';
import type { AccountId, Region } from '@tagplane/identity';
import { MINUTE, deadline } from '@tagplane/runtime';
import type { AwsCallOptions } from './client.ts';
import { callAws, clientSettings } from './client.ts';

/** An account of an organisation. */
export interface OrganizationAccount {
  readonly id: AccountId;
  readonly name: string;
  /** Only active ones can be used; `other` are those that are not yet, or not any more. */
  readonly status: 'active' | 'suspended' | 'other';
  /** Ids of the root and the organisational units that it is in, the root first. Empty unless asked for. */
  readonly ous: readonly string[];
  /** Empty unless asked for, and of accounts that are not active. */
  readonly tags: ReadonlyMap<string, string>;
}

export interface ListAccountsOptions extends AwsCallOptions {
  /** Costs two requests for each organisational unit and one for each 20 accounts. Default true. */
  readonly withOus?: boolean;
  /** Costs a request for each active account. Default false. */
  readonly withTags?: boolean;
}

/**
 * Organizations allows a few requests a second for the whole organisation: the SDK slows down by itself
 * then, and this many attempts span half a minute.
 */
const MAX_ATTEMPTS = 8;
/** Eight attempts of a second or less, their pauses, and one that hangs for its 30 s. */
const PAGE_TIMEOUT_MS = 2 * MINUTE;
/** 10,000 accounts with their tags at five requests a second are done in 35 minutes; most have 500. */
const TIMEOUT_MS = 40 * MINUTE;

/**
 * All accounts of the organisation, by id. Works in the management account and in those of delegated
 * administrators.
 *
 * @throws AwsCallError, or a RoleError
 */
export async function listAccounts(
  options: ListAccountsOptions,
  signal: AbortSignal,
): Promise<OrganizationAccount[]> {
  const { withOus = true, withTags = false } = options;
  const client = new OrganizationsClient({
    ...clientSettings(options, { maxAttempts: MAX_ATTEMPTS, connections: 1 }),
    retryMode: 'adaptive',
  });
  using limit = deadline(signal, TIMEOUT_MS);
  const reader = new Reader(client, options.region, limit.signal);
  try {
    const accounts = await reader.accounts();
    const ous = withOus ? await reader.ousByAccount(accounts) : new Map<AccountId, readonly string[]>();
    const found: OrganizationAccount[] = [];
    for (const account of accounts) {
      const tags = withTags && account.status === 'active' ? await reader.tags(account.id) : new Map();
      found.push({ ...account, ous: ous.get(account.id) ?? [], tags });
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  } finally {
    client.destroy();
  }
}

/** The most that Organizations gives in a page. */
const PAGE_SIZE = 20;

type Paginate<Page> = (
  config: { readonly client: OrganizationsClient; readonly pageSize: number },
  options: { readonly abortSignal: AbortSignal },
) => AsyncGenerator<Page, unknown, unknown>;

type PlainAccount = Pick<OrganizationAccount, 'id' | 'name' | 'status'>;

/** One reading of an organisation, a request at a time. */
class Reader {
  readonly #client: OrganizationsClient;
  readonly #region: Region;
  readonly #signal: AbortSignal;

  constructor(client: OrganizationsClient, region: Region, signal: AbortSignal) {
    this.#client = client;
    this.#region = region;
    this.#signal = signal;
  }

  async accounts(): Promise<PlainAccount[]> {
    const accounts = await this.#all(
      'ListAccounts',
      (config, options) => paginateListAccounts(config, {}, options),
      (page) => (page.Accounts ?? []).flatMap(plainAccount),
    );
    return [...new Map(accounts.map((account) => [account.id, account])).values()];
  }

  /**
   * Walks the tree from its roots: far fewer requests than one for each account. An account that moved
   * meanwhile, from a unit not yet read to one that was, is then asked for its parents.
   */
  async ousByAccount(accounts: readonly PlainAccount[]): Promise<Map<AccountId, readonly string[]>> {
    const found = new Map<AccountId, readonly string[]>();
    const pathOf = new Map<string, readonly string[]>();
    const roots = await this.#all(
      'ListRoots',
      (config, options) => paginateListRoots(config, {}, options),
      (page) => page.Roots ?? [],
    );
    const waiting = roots.flatMap(({ Id }) => (Id === undefined ? [] : [[Id]]));
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const parent = path.at(-1) ?? '';
      pathOf.set(parent, path);
      for (const account of await this.#accountsOf(parent)) found.set(account.id, path);
      for (const ou of await this.#ousOf(parent)) waiting.push([...path, ou]);
    }
    for (const { id } of accounts) if (!found.has(id)) found.set(id, await this.#parentsOf(id, pathOf));
    return found;
  }

  async tags(account: AccountId): Promise<Map<string, string>> {
    const tags = await this.#all(
      'ListTagsForResource',
      ({ client }, options) => paginateListTagsForResource({ client }, { ResourceId: account }, options),
      (page) => page.Tags ?? [],
    );
    return new Map(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  #accountsOf(parent: string): Promise<PlainAccount[]> {
    return this.#all(
      'ListAccountsForParent',
      (config, options) => paginateListAccountsForParent(config, { ParentId: parent }, options),
      (page) => (page.Accounts ?? []).flatMap(plainAccount),
    );
  }

  #ousOf(parent: string): Promise<string[]> {
    return this.#all(
      'ListOrganizationalUnitsForParent',
      (config, options) => paginateListOrganizationalUnitsForParent(config, { ParentId: parent }, options),
      (page) => (page.OrganizationalUnits ?? []).flatMap(({ Id }) => (Id === undefined ? [] : [Id])),
    );
  }

  /** Upwards, until a unit whose place is known. Units nest five deep at most. */
  async #parentsOf(
    account: AccountId,
    pathOf: ReadonlyMap<string, readonly string[]>,
  ): Promise<readonly string[]> {
    const below: string[] = [];
    for (let child: string = account; ;) {
      const parent = await this.#parentOf(child);
      if (parent === undefined) return below;
      const path = pathOf.get(parent);
      if (path !== undefined) return [...path, ...below];
      below.unshift(parent);
      child = parent;
    }
  }

  async #parentOf(child: string): Promise<string | undefined> {
    const call = { service: 'Organizations', operation: 'ListParents', region: this.#region };
    const { Parents = [] } = await callAws(call, this.#limits, (abortSignal) =>
      this.#client.send(new ListParentsCommand({ ChildId: child }), { abortSignal }),
    );
    return Parents[0]?.Id;
  }

  async #all<Page, Item>(
    operation: string,
    paginate: Paginate<Page>,
    itemsOf: (page: Page) => readonly Item[],
  ): Promise<Item[]> {
    const call = { service: 'Organizations', operation, region: this.#region };
    const items: Item[] = [];
    const pages = paginate({ client: this.#client, pageSize: PAGE_SIZE }, { abortSignal: this.#signal });
    for (;;) {
      const next = await callAws(call, this.#limits, () => pages.next());
      if (next.done === true) return items;
      items.push(...itemsOf(next.value));
    }
  }

  get #limits() {
    return { signal: this.#signal, timeoutMs: PAGE_TIMEOUT_MS };
  }
}

function plainAccount({ Id, Name, State, Status }: Account): PlainAccount[] {
  const id = parseAccountId(Id ?? '');
  if (id === undefined) return [];
  // `State` takes the place of `Status`, which AWS retires; others answer with one of them.
  const state: string = State ?? Status ?? '';
  const status = state === 'ACTIVE' ? 'active' : state === 'SUSPENDED' ? 'suspended' : 'other';
  return [{ id, name: Name ?? '', status }];
}
