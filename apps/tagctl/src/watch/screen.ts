import type { Output } from '../io.ts';

const ESC = '\u001b[';
/** The other screen, no cursor, no wrapping. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** Terminals that know these show the frame at once; others ignore them. */
const BEGIN_FRAME = `${ESC}?2026h`;
const END_FRAME = `${ESC}?2026l`;
const HOME = `${ESC}H`;
const CLEAR_LINE_REST = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;

/**
 * Takes the terminal for pictures that replace each other, and gives it back as it was, with the last
 * picture on it. A line is overwritten and only its rest cleared, so nothing is ever blank between.
 */
export class Screen implements AsyncDisposable {
  readonly #output: Output;
  #last: readonly string[] = [];

  private constructor(output: Output) {
    this.#output = output;
  }

  static async open(output: Output): Promise<Screen> {
    await output.write(ENTER);
    return new Screen(output);
  }

  async draw(lines: readonly string[]): Promise<void> {
    this.#last = lines;
    const body = lines.map((line) => `${line}${CLEAR_LINE_REST}`).join('\r\n');
    await this.#output.write(`${BEGIN_FRAME}${HOME}${body}${CLEAR_BELOW}${END_FRAME}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output.write(`${LEAVE}${this.#last.map((line) => `${line}\n`).join('')}`);
  }
}
