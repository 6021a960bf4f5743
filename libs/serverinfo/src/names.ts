import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey, Region } from '@tagplane/identity';

/** Names of discovered ServerInfos begin with this; operators' names may not. */
export const DISCOVERED_NAME_PREFIX = 'aws-';

/** Of `aws-123456789012-`. */
const REGION_AT = DISCOVERED_NAME_PREFIX.length + 13;

const INSTANCE_PART = '-i-';

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

/** `aws-<account>-<region>` of a discovered ServerInfo's name, without parsing it; of other names anything. */
export function placeOfName(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(INSTANCE_PART)));
}

/** What `placeOfName` gives for the instances of a place. */
export function placeName({ account, region }: Pick<InstanceKey, 'account' | 'region'>): string {
  return `${DISCOVERED_NAME_PREFIX}${account}-${region}`;
}

/** Whether `placeOfName` gives this for instances of the region, in whatever account. */
export function isPlaceIn(region: Region, place: string): boolean {
  return place.length === REGION_AT + region.length && place.endsWith(region);
}

/** Whether an operator may give a ServerInfo this name. */
export function isAssignedName(name: string): boolean {
  return ASSIGNED.test(name) && !name.startsWith(DISCOVERED_NAME_PREFIX);
}
