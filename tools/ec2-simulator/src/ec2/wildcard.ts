/**
 * EC2's filter values: `*` is any text, `?` is any one character, and a backslash takes either of them,
 * or itself, as it is. Case matters.
 */
export function wildcardMatcher(pattern: string): (text: string) => boolean {
  if (!/[*?\\]/.test(pattern)) return (text) => text === pattern;
  let source = '';
  let escaped = false;
  for (const character of pattern) {
    if (escaped || !/[*?\\]/.test(character)) source += literal(character);
    else if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    escaped = !escaped && character === '\\';
  }
  const regex = new RegExp(`^${source}$`, 'su');
  return (text) => regex.test(text);
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}
