declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Twelve digits. */
export type AccountId = Branded<'AccountId'>;
/** Such as `eu-central-1`. */
export type Region = Branded<'Region'>;
/** `i-` and 8 or 17 hexadecimal digits. */
export type InstanceId = Branded<'InstanceId'>;
/** A node's name in the cluster: 1 to 128 of letters, digits, `.`, `_`, `-`, starting with a letter or digit. */
export type ServerId = Branded<'ServerId'>;

/** One EC2 instance. */
export interface InstanceKey {
  readonly account: AccountId;
  readonly region: Region;
  readonly instance: InstanceId;
}

const ACCOUNT = /^[0-9]{12}$/;
// Partition and geography words, then a number: us-east-1, us-gov-west-1, us-iso-east-1, eusc-de-east-1.
const REGION = /^[a-z]{2,5}(-[a-z]+){1,3}-[0-9]{1,2}$/;
const INSTANCE = /^i-([0-9a-f]{8}|[0-9a-f]{17})$/;
const SERVER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Each `parseX` returns undefined for text that is no X. */
export function parseAccountId(text: string): AccountId | undefined {
  return ACCOUNT.test(text) ? (text as AccountId) : undefined;
}

export function parseRegion(text: string): Region | undefined {
  return REGION.test(text) ? (text as Region) : undefined;
}

export function parseInstanceId(text: string): InstanceId | undefined {
  return INSTANCE.test(text) ? (text as InstanceId) : undefined;
}

export function parseServerId(text: string): ServerId | undefined {
  return SERVER_ID.test(text) ? (text as ServerId) : undefined;
}

export function parseInstanceKey(parts: {
  account: string;
  region: string;
  instance: string;
}): InstanceKey | undefined {
  const account = parseAccountId(parts.account);
  const region = parseRegion(parts.region);
  const instance = parseInstanceId(parts.instance);
  if (account === undefined || region === undefined || instance === undefined) return undefined;
  return { account, region, instance };
}

/** `account/region/instance`: unique, readable, and ordered by account, then region. */
export function instanceKeyText(key: InstanceKey): string {
  return `${key.account}/${key.region}/${key.instance}`;
}
