import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Issued } from '@tagplane/credentials';
import type { CertificateIdentity } from '@tagplane/identity';
import { instanceToMessage } from '@tagplane/protocol';
import type { IssuedIdentitySchema, TrustBundleSchema } from '@tagplane/protocol';

export function issuedMessage(
  issued: Issued,
  identity: CertificateIdentity,
): MessageInitShape<typeof IssuedIdentitySchema> {
  const { instance } = identity.peer;
  return {
    certificates: [...issued.certificates],
    trust: trustMessage(issued),
    identity: identity.id,
    ...(instance === undefined ? {} : { awsInstance: instanceToMessage(instance) }),
  };
}

export function trustMessage(
  trust: Pick<Issued, 'generation' | 'authorities'>,
): MessageInitShape<typeof TrustBundleSchema> {
  return { generation: BigInt(trust.generation), authorities: [...trust.authorities] };
}
