/** Compares keys as stores order them: by code point, which is the order of their UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

// UTF-16 puts surrogates (U+10000 and above) below U+E000 to U+FFFF; UTF-8 puts them above.
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

const LAST_CODE_POINT = 0x10ffff;

/**
 * The least key above all keys that start with the prefix.
 *
 * @returns undefined when there is none: the prefix is empty, or all U+10FFFF
 */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // The code points of surrogates cannot be written in well-formed text.
  points.push(last === 0xd7ff ? 0xe000 : last + 1);
  return points.map((point) => String.fromCodePoint(point)).join('');
}

/**
 * The bounds of a range as one interval: keys from `from` on, and below `below` (undefined: no bound).
 */
export function rangeBounds(range: { readonly prefix: string; readonly after?: string }): {
  readonly from: string;
  readonly below: string | undefined;
} {
  const { prefix, after } = range;
  // Nothing lies between a key and the same key with U+0000 appended.
  const from = after !== undefined && compareKeys(after, prefix) >= 0 ? `${after}\0` : prefix;
  return { from, below: prefixEnd(prefix) };
}
