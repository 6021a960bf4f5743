import type { InstanceKey } from './ids.ts';

export const ROLES = ['agent', 'discovery', 'operator', 'auth'] as const;

export type Role = (typeof ROLES)[number];

/**
 * Who is at the other end of a request. `proof` says how that is known: `certificate` is one of the
 * cluster's, `claimed` the peer's own word, good on loopback only.
 */
export interface Peer {
  readonly role: Role;
  readonly name: string;
  readonly proof: 'claimed' | 'certificate';
  /** The EC2 instance that the certificate proves; never with `claimed`. */
  readonly instance?: InstanceKey;
}

/** `role/name`, as in ServerInfo's origin, in logs and in audit events. */
export function peerText(peer: Pick<Peer, 'role' | 'name'>): string {
  return `${peer.role}/${peer.name}`;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;

/** Whether a peer may have this name: 1 to 128 of letters, digits, `.`, `_`, `@`, `-`, not first a sign. */
export function isPeerName(text: string): boolean {
  return NAME.test(text);
}

const CERTIFIED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether a certificate may carry this name: as `isPeerName`, without `@`, which no SPIFFE ID may hold. */
export function isCertifiedName(text: string): boolean {
  return CERTIFIED_NAME.test(text);
}

export function parseRole(text: string): Role | undefined {
  return ROLES.find((known) => known === text);
}

/** Reads `role/name`; undefined when it is neither. */
export function parsePeerClaim(text: string): Peer | undefined {
  const [claimed = '', name = '', ...rest] = text.split('/');
  const role = parseRole(claimed);
  if (role === undefined || rest.length > 0 || !isPeerName(name)) return undefined;
  return { role, name, proof: 'claimed' };
}
