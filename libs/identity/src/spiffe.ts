import type { InstanceKey } from './ids.ts';
import { parseInstanceKey } from './ids.ts';
import type { Role } from './peer.ts';
import { isCertifiedName, parseRole } from './peer.ts';

/** What the URI of a certificate says: `spiffe://CLUSTER/ROLE/NAME`. */
export interface SpiffeId {
  readonly cluster: string;
  readonly role: Role;
  readonly name: string;
}

/** A trust domain (SPIFFE-ID, 2.1), and short enough to leave room for a name. */
const CLUSTER = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Whether a cluster may have this name: 1 to 63 of lower-case letters, digits, `.`, `_`, `-`. */
export function isClusterName(text: string): boolean {
  return CLUSTER.test(text);
}

export function formatSpiffeId({ cluster, role, name }: SpiffeId): string {
  return `spiffe://${cluster}/${role}/${name}`;
}

/** Undefined for anything but `spiffe://CLUSTER/ROLE/NAME` with a role of ours. */
export function parseSpiffeId(uri: string): SpiffeId | undefined {
  const [, cluster = '', word = '', name = ''] = /^spiffe:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(uri) ?? [];
  const role = parseRole(word);
  if (role === undefined || !isClusterName(cluster) || !isCertifiedName(name)) return undefined;
  return { cluster, role, name };
}

/** Nothing answers to it: `.internal` is kept for private use (ICANN, 2024). */
const INSTANCE_DOMAIN = 'instance.tagplane.internal';

/**
 * The DNS name by which a certificate carries a proven instance:
 * `INSTANCE.REGION.ACCOUNT.instance.tagplane.internal`. SPIFFE leaves room for one URI only.
 */
export function instanceDnsName({ account, region, instance }: InstanceKey): string {
  return `${instance}.${region}.${account}.${INSTANCE_DOMAIN}`;
}

export function parseInstanceDnsName(name: string): InstanceKey | undefined {
  const [instance = '', region = '', account = '', ...domain] = name.split('.');
  if (domain.join('.') !== INSTANCE_DOMAIN) return undefined;
  return parseInstanceKey({ account, region, instance });
}
