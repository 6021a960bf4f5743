import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JoinTokenSchema, instanceToMessage } from '@tagplane/protocol';
import type { JoinToken } from '@tagplane/protocol';
import { joinRoleMessage } from '../join/roles.ts';
import type { Token } from '../join/token/tokens.ts';

/** A token without its secret, nor the hash of it. */
export function tokenMessage({ instance, ...token }: Token): JoinToken {
  return create(JoinTokenSchema, {
    id: token.id,
    role: joinRoleMessage(token.role),
    name: token.name,
    usesLeft: token.usesLeft,
    expiresAt: timestampFromMs(token.expiresAt),
    createdBy: token.createdBy,
    ...(instance === undefined ? {} : { awsInstance: instanceToMessage(instance) }),
  });
}
