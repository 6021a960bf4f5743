import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey, Region } from '@tagplane/identity';

/** Names of discovered ServerInfos begin with this; operators' names may not. */
export const DISCOVERED_NAME_PREFIX = 'aws-';

/** Of `aws-123456789012-`. */
const REGION_AT = DISCOVERED_NAME_PREFIX.length + 13;

const DISCOVERED = /^aws-([0-9]{12})-(.+)-(i-[0-9a-f]+)$/;
const ASSIGNED = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** `aws-<account>-<region>-<instance>`. */
export function discoveredName(key: InstanceKey): string {
  return `${DISCOVERED_NAME_PREFIX}${key.account}-${key.region}-${key.instance}`;
}

/** The instance that a discovered ServerInfo's name is for; undefined for any other text. */
export function parseDiscoveredName(name: string): InstanceKey | undefined {
  const [, account, region, instance] = DISCOVERED.exec(name) ?? [];
  if (account === undefined || region === undefined || instance === undefined) return undefined;
  return parseInstanceKey({ account, region, instance });
}

/** Whether this name of a discovered ServerInfo is of an instance in the region; without parsing it. */
export function isNameIn(region: Region, name: string): boolean {
  return name.startsWith(`${region}-i-`, REGION_AT);
}

/** Whether an operator may give a ServerInfo this name. */
export function isAssignedName(name: string): boolean {
  return ASSIGNED.test(name) && !name.startsWith(DISCOVERED_NAME_PREFIX);
}
