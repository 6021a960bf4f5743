import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { instanceKeyText } from '@tagplane/identity';
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

/** What the audit says of it. */
export function tokenDetails({ role, name, instance, usesLeft, expiresAt }: Token): Record<string, string> {
  return {
    role,
    uses: String(usesLeft),
    expires_at: new Date(expiresAt).toISOString(),
    ...(name === '' ? {} : { name }),
    ...(instance === undefined ? {} : { instance: instanceKeyText(instance) }),
  };
}
