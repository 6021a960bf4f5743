type Token = { readonly kind: 'text'; readonly character: string } | { readonly kind: 'one' | 'any' };

/**
 * A filter value of EC2: `*` is any text, `?` is any one character, and a backslash takes either of them,
 * or itself, as it is. Case matters. Takes time in proportion to both lengths at worst.
 */
export function wildcardMatcher(pattern: string): (text: string) => boolean {
  if (!/[*?\\]/.test(pattern)) return (text) => text === pattern;
  const tokens = tokensOf(pattern);
  return (text) => fits(tokens, Array.from(text));
}

/** Text that, as a pattern, fits itself only. */
export function escapeWildcards(text: string): string {
  return text.replace(/[*?\\]/g, '\\$&');
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  let escaped = false;
  for (const character of pattern) {
    if (!escaped && character === '\\') {
      escaped = true;
      continue;
    }
    if (!escaped && character === '*') tokens.push({ kind: 'any' });
    else if (!escaped && character === '?') tokens.push({ kind: 'one' });
    else tokens.push({ kind: 'text', character });
    escaped = false;
  }
  // A backslash at the end has nothing to take.
  if (escaped) tokens.push({ kind: 'text', character: '\\' });
  return tokens;
}

/** Goes back to the last `*` only: what an earlier one could still take, that one can take as well. */
function fits(tokens: readonly Token[], text: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let retry: { readonly token: number; at: number } | undefined;
  while (at < text.length) {
    const current = tokens[token];
    if (current?.kind === 'any') {
      retry = { token: token + 1, at };
      token += 1;
    } else if (current?.kind === 'one' || (current?.kind === 'text' && current.character === text[at])) {
      token += 1;
      at += 1;
    } else if (retry !== undefined) {
      retry.at += 1;
      token = retry.token;
      at = retry.at;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === 'any');
}
