import { describe, expect, it } from '@jest/globals';
import { formatToken, isTokenId, newToken, parseToken, secretHash } from './token-text.ts';

describe('the text of a token', () => {
  it('is read as it was written, and never the same twice', () => {
    const tokens = Array.from({ length: 50 }, newToken);
    for (const token of tokens) {
      expect(parseToken(formatToken(token))).toEqual(token);
      expect(isTokenId(token.id)).toBe(true);
      expect(Buffer.from(token.secret, 'base64url')).toHaveLength(32);
    }
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(50);
    expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(50);
  });

  const { id, secret } = newToken();
  it.each([
    ['nothing', ''],
    ['another start', `tpx_${id}_${secret}`],
    ['no secret', `tpt_${id}_`],
    ['a short secret', `tpt_${id}_${secret.slice(1)}`],
    ['a long secret', `tpt_${id}_${secret}A`],
    ['an id in capitals', `tpt_${id.toUpperCase()}_${secret}`],
    ['a path in the id', `tpt_../../../../../a_${secret}`],
    ['a line after it', `tpt_${id}_${secret}\n`],
    ['a space before it', ` tpt_${id}_${secret}`],
  ])('is not %s', (_what, text) => {
    expect(parseToken(text)).toBeUndefined();
  });

  it('is kept as a hash', () => {
    expect(secretHash('a').toString('hex')).toBe(
      'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
    );
  });
});
