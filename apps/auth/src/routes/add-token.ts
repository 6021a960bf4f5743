import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { peerText } from '@tagplane/identity';
import { connectionOf, instanceFromMessage, optionalDurationMs, peerOf } from '@tagplane/protocol';
import type { AddTokenRequest, TokenService } from '@tagplane/protocol';
import { HOUR, MINUTE } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';
import type { Authority } from '../ca/authority.ts';
import { joinRoleOf } from '../join/roles.ts';
import { formatToken } from '../join/token/token-text.ts';
import type { TokenSpec, Tokens } from '../join/token/tokens.ts';
import { tokenDetails, tokenMessage } from './token-message.ts';

type AddToken = ServiceImpl<typeof TokenService>['addToken'];

const DEFAULT_TTL_MS = HOUR;
const MIN_TTL_MS = MINUTE;
/** 30 days. */
const MAX_TTL_MS = 30 * 24 * HOUR;

export interface TokenRoutes {
  readonly tokens: Tokens;
  readonly audit: Audit;
}

/** Makes a token. Its secret is in the answer; neither the store nor the audit have it. */
export function addToken({
  tokens,
  audit,
  authority,
}: TokenRoutes & { readonly authority: Pick<Authority, 'pins'> }): AddToken {
  return async (request, context) => {
    const createdBy = peerText(peerOf(context));
    const spec: TokenSpec = { ...readSpec(request), createdBy };
    const { token, parts } = await tokens.add(spec, context.signal);
    audit.record({
      code: 'token.added',
      result: 'ok',
      actor: createdBy,
      remoteAddress: connectionOf(context)?.remoteAddress,
      subjects: [token.id],
      details: tokenDetails(token),
    });
    return { token: tokenMessage(token), secretToken: formatToken(parts), caPins: [...authority.pins()] };
  };
}

function readSpec(request: AddTokenRequest): Omit<TokenSpec, 'createdBy'> {
  const role = joinRoleOf(request.role);
  if (role === undefined) throw invalid('role: expected agent, discovery or operator');
  const ttlMs = optionalDurationMs(request.ttl) ?? DEFAULT_TTL_MS;
  if (!(ttlMs >= MIN_TTL_MS && ttlMs <= MAX_TTL_MS)) throw invalid('ttl: expected one minute to 30 days');
  const { awsInstance } = request;
  const instance = awsInstance && instanceFromMessage(awsInstance);
  if (awsInstance !== undefined && instance === undefined) throw invalid('aws_instance: no instance');
  if (instance !== undefined && role !== 'agent') throw invalid('aws_instance: for agents only');
  const uses = request.uses === 0 ? 1 : request.uses;
  return { role, name: request.name, instance, ttlMs: Math.round(ttlMs), uses };
}

function invalid(reason: string): ConnectError {
  return new ConnectError(reason, Code.InvalidArgument);
}
