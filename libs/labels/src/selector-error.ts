/** How much of a text `pointed` shows on each side of the character. */
const SHOWN = 60;

/** A selector that cannot be read or does not hold the rules; says at which character. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
  /** What is wrong, on one line, without the place. */
  readonly problem: string;
  /** The text that is wrong: a whole selector as it was written, or one pattern of one that came in parts. */
  readonly text: string;
  /** Index of the character in `text`, in UTF-16 units from 0; the text's length: something is missing there. */
  readonly position: number;

  constructor(problem: string, text: string, position: number) {
    super(`${problem}, at character ${Array.from(text.slice(0, position)).length + 1}`);
    this.problem = problem;
    this.text = text;
    this.position = position;
  }

  /** Two lines: the text, cut when it is long, and a caret under the character. */
  pointed(): string {
    const before = Array.from(this.text.slice(0, this.position));
    const after = Array.from(this.text.slice(this.position));
    const start = before.length > SHOWN ? ['…', ...before.slice(-SHOWN)] : before;
    const end = after.length > SHOWN ? [...after.slice(0, SHOWN), '…'] : after;
    // One column each, so that the caret stays under its character.
    const line = [...start, ...end].join('').replaceAll(/\p{Cc}/gu, ' ');
    return `${line}\n${' '.repeat(start.length)}^`;
  }
}
