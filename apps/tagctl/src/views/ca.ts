import type { CaFollowers, CertificateAuthority, GetCaStatusResponse } from '@tagplane/protocol';
import { CaPhase } from '@tagplane/protocol';
import { timeView } from './node.ts';

/** UNKNOWN: a phase that this version does not know. */
export type CaPhaseName = 'STABLE' | 'TRUSTING' | 'SIGNING' | 'UNKNOWN';

/** The certificate authorities as JSON and YAML show them; others script against these names. */
export interface CaStatusView {
  readonly cluster: string;
  readonly phase: CaPhaseName;
  /** RFC 3339, UTC. */
  readonly phase_since: string | null;
  readonly generation: number;
  readonly authorities: readonly AuthorityView[];
  readonly followers: readonly FollowersView[];
  /** Until when certificates of the authority on its way out may be good; null when stable. */
  readonly old_certificates_until: string | null;
  /** Why the next step would be refused now; null: it would not. */
  readonly blocked: string | null;
}

export interface AuthorityView {
  /** What `--ca-pin` takes. */
  readonly pin: string;
  readonly signing: boolean;
  readonly expires_at: string | null;
}

/** The peers of one auth process, counted. */
export interface FollowersView {
  readonly auth_id: string;
  readonly following: boolean;
  readonly peers: number;
  readonly trusting: number;
  readonly renewed: number;
  /** Some that do not follow yet: SPIFFE IDs. */
  readonly waiting_for: readonly string[];
}

export function caStatusView(status: GetCaStatusResponse): CaStatusView {
  return {
    cluster: status.cluster,
    phase: phaseName(status.phase),
    phase_since: timeView(status.phaseSince),
    generation: Number(status.generation),
    authorities: status.authorities.map(authorityView),
    followers: status.followers.map(followersView),
    old_certificates_until: timeView(status.oldCertificatesUntil),
    blocked: status.blocked || null,
  };
}

function authorityView({ pin, signing, expiresAt }: CertificateAuthority): AuthorityView {
  return { pin, signing, expires_at: timeView(expiresAt) };
}

function followersView(each: CaFollowers): FollowersView {
  return {
    auth_id: each.authId,
    following: each.following,
    peers: each.peers,
    trusting: each.trusting,
    renewed: each.renewed,
    waiting_for: each.waitingFor,
  };
}

function phaseName(phase: CaPhase): CaPhaseName {
  switch (phase) {
    case CaPhase.STABLE:
      return 'STABLE';
    case CaPhase.TRUSTING:
      return 'TRUSTING';
    case CaPhase.SIGNING:
      return 'SIGNING';
    default:
      return 'UNKNOWN';
  }
}
