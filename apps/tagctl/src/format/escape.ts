/**
 * Characters that could drive a terminal or reorder its text: C0, DEL and C1 controls, line and
 * paragraph separators, bidirectional controls, the byte order mark.
 */
const DRIVING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const DRIVING_BUT_NEWLINE = new RegExp(String.raw`(?!\n)${DRIVING.source}`, 'g');
// Beyond those: invisible format characters (but the joiners, which scripts need), lone surrogates,
// private and unassigned code points, whose width is anyone's guess. A backslash is doubled, so that
// text which looks like an escape cannot be taken for one.
const NOT_PLAIN = /[\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]|(?![\u200c\u200d])\p{Cf}/gu;

const SHORT: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text that a terminal shows on one line and that cannot drive it. */
export function visible(text: string): string {
  return text.replace(NOT_PLAIN, (character) => SHORT[character] ?? codePointEscape(character));
}

export function drivesTerminal(text: string): boolean {
  return DRIVING.test(text);
}

/**
 * For JSON and for YAML whose strings of this kind are double-quoted: the same document with these
 * characters in escaped form. Both languages read `\uXXXX` there as the character itself.
 */
export function escapeQuoted(document: string): string {
  return document.replace(DRIVING_BUT_NEWLINE, (character) => unitEscape(character.charCodeAt(0)));
}

function codePointEscape(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return point > 0xffff ? `\\u{${point.toString(16)}}` : unitEscape(point);
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
