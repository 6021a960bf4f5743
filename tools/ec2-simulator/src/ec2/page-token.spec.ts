import { describe, expect, it } from '@jest/globals';
import { createPageTokens } from './page-token.ts';

describe('page tokens', () => {
  const tokens = createPageTokens('key', 1_000);

  it('give their position back, until they expire', () => {
    for (const position of [0, 1, 250_000_999, Number.MAX_SAFE_INTEGER]) {
      const token = tokens.issue('q', position, 5_000);
      expect(tokens.read('q', token, 6_000)).toBe(position);
      expect(() => tokens.read('q', token, 6_001)).toThrow(
        expect.objectContaining({ code: 'InvalidNextToken' }),
      );
    }
  });

  it('are good for their query alone, unchanged', () => {
    const token = tokens.issue('q', 7, 0);
    for (const bad of [
      '',
      'x',
      token.slice(1),
      `${token}==`,
      `${token} `,
      token.toUpperCase(),
      `A${token.slice(1)}`,
    ]) {
      if (bad === token) continue;
      expect(() => tokens.read('q', bad, 0)).toThrow(expect.objectContaining({ code: 'InvalidNextToken' }));
    }
    expect(() => tokens.read('other', token, 0)).toThrow(
      expect.objectContaining({ code: 'InvalidNextToken' }),
    );
    expect(() => createPageTokens('other key', 1_000).read('q', token, 0)).toThrow();
  });
});
