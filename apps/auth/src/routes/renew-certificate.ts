import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { provesPossession, renewStatement } from '@tagplane/credentials';
import { peerText } from '@tagplane/identity';
import { connectionOf } from '@tagplane/protocol';
import type { IdentityService } from '@tagplane/protocol';
import type { Audit } from '../audit/audit.ts';
import type { Authority } from '../ca/authority.ts';
import { issuedMessage } from './issued-message.ts';

type Renew = ServiceImpl<typeof IdentityService>['renewCertificate'];

/**
 * A new certificate for who the connection's certificate says, whatever else is asked for. The connection
 * lives on under it.
 */
export function renewCertificate({
  authority,
  audit,
}: {
  readonly authority: Pick<Authority, 'issue'>;
  readonly audit: Audit;
}): Renew {
  return async ({ publicKey, possession }, context) => {
    const connection = connectionOf(context);
    const identity = connection?.identity;
    if (connection === undefined || identity === undefined) {
      throw new ConnectError('only who has a certificate can renew it', Code.Unauthenticated);
    }
    const { id, peer } = identity;
    const { remoteAddress } = connection;
    const event = { actor: peerText(peer), remoteAddress, subjects: [id] };
    const refused = (reason: string, code: Code): ConnectError => {
      audit.record({ code: 'certificate.refused', result: 'refused', reason, ...event });
      return new ConnectError(reason, code);
    };
    if (peer.role === 'auth') {
      throw refused('an auth service makes its certificates itself', Code.PermissionDenied);
    }
    if (!provesPossession(renewStatement({ id, publicKey }), publicKey, possession)) {
      throw refused('the signature is not one of the key to be certified', Code.InvalidArgument);
    }
    const { role, name, instance } = peer;
    const renewed = await authority.issue({ role, name, instance, publicKey }, 'renew');
    const validUntil = new Date(renewed.identity.validUntil).toISOString();
    const details = { valid_until: validUntil, authority: renewed.identity.issuer };
    audit.record({ code: 'certificate.renewed', result: 'ok', ...event, details });
    connection.renewed(renewed.identity);
    return { issued: issuedMessage(renewed.issued, renewed.identity) };
  };
}
