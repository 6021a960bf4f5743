import { SelectorError } from './selector-error.ts';

/** A key or a value, and where each of its characters was written. */
export interface Token {
  readonly value: string;
  /** Where the character of this index (in UTF-16 units) stands in the whole text. */
  at(index: number): number;
}

/** What means something between keys and values. */
const SIGNS = ',=[]"';
const SPACE = /[ \t\r\n]*/y;
/** A JSON string, as far as it goes. */
const QUOTED = /"(?:[^"\\]|\\.)*"/sy;

/** Takes a selector's text apart from left to right. */
export class SelectorReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  error(problem: string, position: number): SelectorError {
    return new SelectorError(problem, this.#text, position);
  }

  /** Goes over the sign if it comes next. */
  skip(sign: string): boolean {
    this.#skipSpace();
    if (this.#text.charAt(this.#position) !== sign) return false;
    this.#position += 1;
    return true;
  }

  expect(sign: string, problem: string): void {
    if (!this.skip(sign)) throw this.error(problem, this.#position);
  }

  end(): void {
    this.#skipSpace();
    if (this.#position < this.#text.length)
      throw this.error('after a term comes , or the end', this.#position);
  }

  key(): Token {
    this.#skipSpace();
    if (this.#text.charAt(this.#position) === '"') return this.#quoted();
    return this.#bare('a key is missing', '=');
  }

  value(inList: boolean): Token {
    this.#skipSpace();
    const next = this.#text.charAt(this.#position);
    if (next === '"') return this.#quoted();
    if (next === '^') return this.#expression(inList);
    return this.#bare('a value is missing (the empty one is "")', inList ? ',]' : ',');
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#position;
    SPACE.test(this.#text);
    this.#position = SPACE.lastIndex;
  }

  /** Up to one of `ends`; any other sign needs quotes. */
  #bare(missing: string, ends: string): Token {
    const start = this.#position;
    let end = start;
    while (end < this.#text.length && !SIGNS.includes(this.#text.charAt(end))) end += 1;
    const value = this.#text.slice(start, end).replace(/[ \t\r\n]+$/, '');
    const sign = this.#text.charAt(end);
    if (value === '') throw this.error(missing, start);
    if (sign !== '' && !ends.includes(sign)) throw this.error(unquoted(sign, ends), end);
    this.#position = end;
    return { value, at: (index) => start + index };
  }

  /** Up to the first `$` after which the value can end: a regular expression may have any sign in it. */
  #expression(inList: boolean): Token {
    const start = this.#position;
    const finish = inList ? /\$(?=[ \t\r\n]*(?:,|\]|$))/g : /\$(?=[ \t\r\n]*(?:,|$))/g;
    finish.lastIndex = start;
    if (!finish.test(this.#text)) {
      throw this.error('a regular expression ends with $ (for the character ^ itself, write \\^)', start);
    }
    this.#position = finish.lastIndex;
    return { value: this.#text.slice(start, this.#position), at: (index) => start + index };
  }

  #quoted(): Token {
    const start = this.#position;
    QUOTED.lastIndex = start;
    const [quoted] = QUOTED.exec(this.#text) ?? [];
    if (quoted === undefined) throw this.error('this quote is not closed', start);
    this.#position = start + quoted.length;
    const pieces = [...quoted.slice(1, -1).matchAll(/\\u[0-9a-fA-F]{4}|\\.|[^\\]/gs)].map(([piece]) => piece);
    const starts = pieces.map((_, index) => start + 1 + pieces.slice(0, index).join('').length);
    return { value: this.#unquoted(quoted, start), at: (index) => starts[index] ?? this.#position };
  }

  #unquoted(quoted: string, start: number): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.error('between quotes is the text of a JSON string, where \\ is written \\\\', start);
    }
  }
}

function unquoted(sign: string, ends: string): string {
  if (ends === '=') return `after a key comes = and its value; a key with ${sign} in it needs quotes`;
  return `a value with ${sign} in it needs quotes`;
}
