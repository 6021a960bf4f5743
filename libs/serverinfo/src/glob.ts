/** Of each pattern: what a tag's key has at most, twice over. */
export const MAX_GLOB_CHARACTERS = 256;

/**
 * Makes a test of whole texts from a pattern in which `*` stands for any characters, none included, and `?`
 * for one. It takes no longer than the product of the two lengths.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  if (pattern === '*') return () => true;
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  const wanted = Array.from(pattern);
  return (text) => matches(wanted, Array.from(text));
}

/** Goes back to the last `*` only: an earlier one could take no more than that one can. */
function matches(pattern: readonly string[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < text.length;) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      resume = index;
      at += 1;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      index = resume;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
