/** An IAM role that can be assumed. */
export interface SimRole {
  readonly arn: string;
  /** Who may: account ids, ARNs of users or roles, or `*`. */
  readonly trusts: readonly string[];
  /** The external id that it asks for. */
  readonly externalId: string | undefined;
  /** In seconds; one hour to twelve. */
  readonly maxDuration: number;
  /** What it may do, such as `ec2:DescribeInstances`; `*` at the end of one is any. */
  readonly actions: readonly string[];
}

export type RoleOptions = Pick<SimRole, 'arn' | 'trusts'> & Partial<SimRole>;

export const HOUR_S = 60 * 60;

export function makeRole(options: RoleOptions): SimRole {
  return { externalId: undefined, maxDuration: HOUR_S, actions: ['*'], ...options };
}

const ROLE_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role\/((?:[\w+=,.@-]+\/)*)([\w+=,.@-]{1,64})$/;

export interface RoleName {
  readonly partition: string;
  readonly account: string;
  readonly name: string;
}

/** The parts of a role's ARN; undefined: it is none. */
export function parseRoleArn(arn: string): RoleName | undefined {
  const [, partition, account, , name] = ROLE_ARN.exec(arn) ?? [];
  if (partition === undefined || account === undefined || name === undefined) return undefined;
  return { partition, account, name };
}

/** Whether a role trusts this identity, which its account and its ARN say. */
export function isTrusted({ trusts }: SimRole, account: string, arn: string): boolean {
  const [, partition, name] = /^arn:([^:]+):sts::\d{12}:assumed-role\/([^/]+)\//.exec(arn) ?? [];
  const role = name === undefined ? undefined : `arn:${partition ?? ''}:iam::${account}:role/${name}`;
  return trusts.some(
    (principal) =>
      principal === '*' ||
      principal === account ||
      principal === arn ||
      principal === role ||
      new RegExp(`^arn:[^:]+:iam::${account}:root$`).test(principal),
  );
}

/** Whether a role's policy allows an action, such as `ec2:DescribeInstances`. */
export function allows({ actions }: SimRole, action: string): boolean {
  return actions.some((pattern) =>
    pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : pattern === action,
  );
}
