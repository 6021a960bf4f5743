import { AwsError } from '../aws-error.ts';
import type { SimAccount } from '../estate/account.ts';
import type { Estate } from '../estate/estate.ts';
import { hashText, hexOf } from '../fleet/random.ts';

interface Unit {
  readonly Id: string;
  readonly Arn: string;
  readonly Name: string;
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** An organisation, as Organizations shows it. Everything throws AwsError for ids that it does not have. */
export interface Tree {
  readonly root: object;
  readonly accounts: readonly SimAccount[];
  readonly accountOf: (id: string) => SimAccount;
  readonly accountsOf: (parent: string) => readonly SimAccount[];
  readonly unitsOf: (parent: string) => readonly Unit[];
  readonly parentsOf: (child: string) => readonly object[];
  readonly tagsOf: (resource: string) => readonly Tag[];
}

export function tree(estate: Estate): Tree {
  const names = new Names(estate.management);
  const accounts = estate.accounts.filter(({ member }) => member);
  const paths = new Map([[names.root, '']]);
  for (const { ou } of accounts) for (const path of ancestors(ou)) paths.set(names.unit(path), path);
  const pathOf = (id: string, code: string): string => {
    const path = paths.get(id);
    if (path !== undefined) return path;
    throw new AwsError(code, `You specified an ID that doesn't exist: ${id}`);
  };
  const accountOf = (id: string): SimAccount => {
    const account = accounts.find((candidate) => candidate.id === id);
    if (account !== undefined) return account;
    throw new AwsError('AccountNotFoundException', "You specified an account that doesn't exist.");
  };
  return {
    root: { Id: names.root, Arn: names.arn('root', names.root), Name: 'Root', PolicyTypes: [] },
    accounts,
    accountOf,
    accountsOf: (parent) => {
      const path = pathOf(parent, 'ParentNotFoundException');
      return accounts.filter(({ ou }) => ou === path);
    },
    unitsOf: (parent) => {
      const above = pathOf(parent, 'ParentNotFoundException');
      return [...paths]
        .filter(([, path]) => path !== '' && parentOf(path) === above)
        .map(([Id, path]) => ({ Id, Arn: names.arn('ou', Id), Name: path.split('/').at(-1) ?? path }));
    },
    parentsOf: (child) => {
      const above = /^\d{12}$/.test(child)
        ? accountOf(child).ou
        : parentOf(pathOf(child, 'ChildNotFoundException'));
      return [{ Id: names.idOf(above), Type: above === '' ? 'ROOT' : 'ORGANIZATIONAL_UNIT' }];
    },
    tagsOf: (resource) => {
      if (!/^\d{12}$/.test(resource)) {
        pathOf(resource, 'TargetNotFoundException');
        return [];
      }
      return [...accountOf(resource).tags].map(([Key, Value]) => ({ Key, Value }));
    },
  };
}

/** An account as it is listed. */
export function accountView({ id, name, status }: SimAccount): object {
  return {
    Id: id,
    Arn: `arn:aws:organizations::${id}:account/o-simulated0/${id}`,
    Email: `${name}@example.com`,
    Name: name,
    Status: status,
    JoinedMethod: 'CREATED',
    JoinedTimestamp: JOINED_AT,
  };
}

export function organizationView({ management }: Estate): object {
  const names = new Names(management);
  return {
    Id: names.organization,
    Arn: names.arn('organization'),
    FeatureSet: 'ALL',
    MasterAccountId: management,
    MasterAccountArn: names.arn('account', management),
    MasterAccountEmail: 'management@example.com',
  };
}

/** 1 January 2026, in seconds. */
const JOINED_AT = Date.UTC(2026, 0, 1) / 1000;

/** The ids that follow from the management account and a unit's path. */
class Names {
  readonly organization: string;
  readonly root: string;
  readonly #management: string;
  readonly #salt: number;

  constructor(management: string) {
    this.#management = management;
    this.#salt = hashText(management);
    this.organization = `o-${hexOf(this.#salt, 70, 10)}`;
    this.root = `r-${hexOf(this.#salt, 71, 4)}`;
  }

  unit(path: string): string {
    return `ou-${hexOf(this.#salt, 71, 4)}-${hexOf(hashText(path), 72, 8)}`;
  }

  idOf(path: string): string {
    return path === '' ? this.root : this.unit(path);
  }

  arn(kind: string, id?: string): string {
    const place = `arn:aws:organizations::${this.#management}:${kind}/${this.organization}`;
    return id === undefined ? place : `${place}/${id}`;
  }
}

/** `a/b` has `a` and `a/b`. */
function ancestors(path: string): string[] {
  if (path === '') return [];
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}
