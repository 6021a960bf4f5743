export const ROLES = ['agent', 'discovery', 'operator', 'auth'] as const;

export type Role = (typeof ROLES)[number];

/**
 * Who is at the other end of a request. `proof` says how that is known: `claimed` is the peer's own
 * word, good on loopback only.
 */
export interface Peer {
  readonly role: Role;
  readonly name: string;
  readonly proof: 'claimed';
}

/** `role/name`, as in ServerInfo's origin and in logs. */
export function peerText(peer: Peer): string {
  return `${peer.role}/${peer.name}`;
}

const CLAIM = /^([a-z]+)\/([A-Za-z0-9][A-Za-z0-9._@-]{0,127})$/;

/** Reads `role/name`; undefined when it is neither. */
export function parsePeerClaim(text: string): Peer | undefined {
  const [, claimed, name] = CLAIM.exec(text) ?? [];
  const role = ROLES.find((known) => known === claimed);
  if (role === undefined || name === undefined) return undefined;
  return { role, name, proof: 'claimed' };
}
