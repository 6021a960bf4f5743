import { X509Certificate } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { publicKeyPin } from '@tagplane/identity';
import { CaPhase } from '@tagplane/protocol';
import type {
  CaFollowersSchema,
  CertificateAuthoritySchema,
  GetCaStatusResponseSchema,
} from '@tagplane/protocol';
import type { CaPhaseName, StoredAuthority } from '../ca/ca-record.ts';
import { trustedAuthorities } from '../ca/ca-record.ts';
import type { Follower } from '../ca/follower.ts';
import type { CaStatus } from '../ca/rotate-step.ts';

const PHASES: Readonly<Record<CaPhaseName, CaPhase>> = {
  stable: CaPhase.STABLE,
  trusting: CaPhase.TRUSTING,
  signing: CaPhase.SIGNING,
};

export function caStatusMessage(status: CaStatus): MessageInitShape<typeof GetCaStatusResponseSchema> {
  const { record, followers, oldCertificatesUntil, blocked = '' } = status;
  return {
    cluster: record.cluster,
    phase: PHASES[record.phase],
    generation: BigInt(record.generation),
    authorities: trustedAuthorities(record).map(authorityMessage),
    followers: followers.map((follower) => followersMessage(follower, record.generation)),
    phaseSince: timestampFromMs(record.phaseSince),
    ...(oldCertificatesUntil === undefined
      ? {}
      : { oldCertificatesUntil: timestampFromMs(oldCertificatesUntil) }),
    blocked,
  };
}

function authorityMessage(
  { certificate }: StoredAuthority,
  place: number,
): MessageInitShape<typeof CertificateAuthoritySchema> {
  const parsed = new X509Certificate(certificate);
  return {
    pin: publicKeyPin(parsed),
    certificate: parsed.raw,
    signing: place === 0,
    expiresAt: timestampFromMs(parsed.validToDate.getTime()),
  };
}

function followersMessage(
  { authId, generation, peers, trusting, renewed, waitingFor }: Follower,
  present: number,
): MessageInitShape<typeof CaFollowersSchema> {
  const following = generation === present;
  return { authId, following, peers, trusting, renewed, waitingFor: [...waitingFor] };
}
