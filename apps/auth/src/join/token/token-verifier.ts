import { randomBytes, timingSafeEqual } from 'node:crypto';
import { instanceKeyText } from '@tagplane/identity';
import type { TokenProof } from '@tagplane/protocol';
import type { JoinClaim, JoinVerifier, Refusal, Verdict } from '../verifier.ts';
import { denied } from '../verifier.ts';
import { parseToken, secretHash } from './token-text.ts';
import type { Token, Tokens } from './tokens.ts';

/** One answer for an id that is not known and for a wrong secret: neither tells of the other. */
const UNKNOWN = 'the token is not known';
/** Compared with when there is no such token, so that both take as long. */
const NOBODYS_HASH = randomBytes(32);

/** Lets in by a token of an operator. */
export function createTokenVerifier(options: {
  readonly tokens: Tokens;
  readonly now: () => number;
}): JoinVerifier<Pick<TokenProof, 'token'>> {
  const { tokens, now } = options;
  return {
    async verify(proof, claim, { signal }): Promise<Verdict> {
      const parts = parseToken(proof.token);
      // Text that is no token may be anything, a secret of something else too: it is named nowhere.
      if (parts === undefined) return denied(UNKNOWN);
      const token = await tokens.get(parts.id, signal);
      const expected = token === undefined ? NOBODYS_HASH : Buffer.from(token.secretHash, 'hex');
      const equal = timingSafeEqual(secretHash(parts.secret), expected);
      if (token === undefined || !equal) return denied(UNKNOWN, { token: parts.id });
      const refusal = tokenRefusal(token, claim, now());
      if (refusal !== undefined) return refusal;
      return {
        ok: true,
        proof: `token ${token.id}`,
        instance: token.instance,
        name: token.name === '' ? undefined : token.name,
        spend: (stop) => spend(tokens, token, stop),
      };
    },
  };
}

/** Why this token, whose secret the caller knows, does not let it in. */
function tokenRefusal(token: Token, claim: JoinClaim, now: number): Refusal | undefined {
  if (now >= token.expiresAt) return denied('the token has expired', detailsOf(token));
  if (token.usesLeft === 0) return denied('the token is used up', detailsOf(token));
  if (token.role !== claim.role)
    return denied(`the token is for another role: ${token.role}`, detailsOf(token));
  if (token.name !== '' && claim.name !== '' && token.name !== claim.name) {
    return denied('the token is for another name', detailsOf(token));
  }
  return undefined;
}

async function spend(tokens: Tokens, token: Token, signal: AbortSignal): Promise<Refusal | undefined> {
  switch (await tokens.spend(token.id, signal)) {
    case 'spent':
      return undefined;
    case 'used up':
      return denied('the token is used up', detailsOf(token));
    case 'gone':
      return denied(UNKNOWN, detailsOf(token));
  }
}

function detailsOf({ id, instance }: Token): Record<string, string> {
  return { token: id, ...(instance === undefined ? {} : { instance: instanceKeyText(instance) }) };
}
