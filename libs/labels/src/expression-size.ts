/** What counts as one character in an expression: an escape, a class, a quantifier, or the character itself. */
const PIECE =
  /\\Q.*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\[:\w*:\]|\\.|[^\]\\])*\]|\{(\d{1,4})(?:,(\d{0,4}))?\}|./gsu;

/**
 * About how many instructions a regular expression makes, by its counted repetitions, without compiling it: that
 * alone takes a second for some that fit a line.
 */
export function roughExpressionSize(expression: string): number {
  const groups = [0];
  let last = 0;
  for (const [piece, least, most] of expression.matchAll(PIECE)) {
    const sum = groups.pop() ?? 0;
    if (piece === '(') {
      groups.push(sum, 0);
      last = 0;
    } else if (piece === ')') {
      last = sum;
      groups.push((groups.pop() ?? 0) + last);
    } else if (least !== undefined) {
      const times = Math.max(1, Number(least), Number(most ?? 0));
      groups.push(sum + last * (times - 1));
      last *= times;
    } else {
      last = piece.startsWith('\\Q') ? piece.length : 1;
      groups.push(sum + last);
    }
  }
  return groups.reduce((total, size) => total + size, 0);
}
