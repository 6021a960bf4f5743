/** Most texts are these characters only, and pass untouched. */
const PLAIN = /^[\x20-\x7e]*$/;
/**
 * What must not reach a terminal or a line of a log: controls of all kinds, line and paragraph separators,
 * and characters that turn the direction of the text around them.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const REPLACEMENT = '\ufffd';

/** The text with unsafe characters and lone surrogates replaced by U+FFFD, and cut with `…` beyond `longest` UTF-16 units. */
export function cleanText(text: string, longest: number): string {
  const cut = text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
  return PLAIN.test(cut) ? cut : cut.toWellFormed().replaceAll(UNSAFE, REPLACEMENT);
}
